// Files calls: the tree, its revisions and its trash.
import { call } from './http'
import type { Entry, FileEntry, ListPage, Revision, Rewound, TrashItem } from './types'

const PAGE_ENTRIES = 2000

const post = <T>(operation: string, body: unknown, signal?: AbortSignal) => call<T>('POST', `/files/${operation}`, body, signal)

export const list = (path: string, signal?: AbortSignal) => post<ListPage>('list', { path, limit: PAGE_ENTRIES }, signal)
export const latestCursor = async (path: string) => (await post<{ cursor: string }>('list/latest_cursor', { path, recursive: true })).cursor
export const listMore = (cursor: string, signal?: AbortSignal) => post<ListPage>('list/continue', { cursor }, signal)
export const metadata = (path: string) => post<Entry>('metadata', { path })
export const createFolder = (path: string, autorename = false) => post<Entry>('create_folder', { path, autorename })
export const move = (from: string, to: string, autorename = false) => post<Entry>('move', { from, to, autorename })
export const copy = (from: string, to: string, autorename = false) => post<Entry>('copy', { from, to, autorename })
export const remove = (path: string) => post<{ trashed: string; entry: Entry }>('delete', { path })
export const search = (query: string, signal?: AbortSignal) =>
  post<{ entries: Entry[]; has_more: boolean }>('search', { query, limit: 500 }, signal)

export const revisions = (path: string, beforeRev?: string) =>
  post<{ entries: Revision[]; has_more: boolean }>('list_revisions', { path, limit: 50, before_rev: beforeRev })
export const restore = (path: string, rev: string) => post<FileEntry>('restore', { path, rev })
export const updateRevision = (path: string, rev: string, change: { keep_forever?: boolean; label?: string }) =>
  post<unknown>('update_revision', { path, rev, ...change })

export const listTrash = (cursor?: string) =>
  post<{ items: TrashItem[]; cursor: string; has_more: boolean }>('list_trash', { cursor, limit: 500 })
export const undelete = (trashed: string) => post<Entry>('undelete', { trashed })
export const purge = (trashed: string) => post<unknown>('purge', { trashed })
export const emptyTrash = () => post<unknown>('purge', { all: true })

/** Asks on until the folder is as it was. */
export async function rewind(path: string, to: string, preview: boolean): Promise<Rewound> {
  const sum: Rewound = { restored: 0, moved: 0, removed: 0, reset: 0, lost: 0 }
  let cursor: string | null | undefined
  do {
    const done: Rewound & { cursor: string | null } = await post('rewind', { path, to, preview, cursor })
    for (const name of Object.keys(sum) as (keyof Rewound)[]) sum[name] += done[name]
    cursor = done.cursor
  } while (cursor)
  return sum
}

export const allowDeletes = (device: string) => post<unknown>('mass_delete/allow', { device })

/** Asks on until all of it is back. */
export async function undoDeletes(device: string): Promise<number> {
  let count = 0
  for (;;) {
    const done = await post<{ entries: number; has_more: boolean }>('mass_delete/undo', { device })
    count += done.entries
    if (!done.has_more) return count
  }
}

/** Where the bytes are: `inline` to show them, otherwise they are saved. */
export function contentAddress(path: string, options: { rev?: string; inline?: boolean } = {}): string {
  const query = new URLSearchParams({ path })
  if (options.rev) query.set('rev', options.rev)
  if (options.inline) query.set('inline', 'true')
  return `/files/download?${query}`
}
