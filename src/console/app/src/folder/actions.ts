// Actions: what people do with entries. Each tells how it went and, where it can, offers the way back.
import { toasts } from '../app/toasts.svelte'
import * as files from '../api/files'
import type { Entry } from '../api/types'
import { t } from '../words/words'
import { folder } from './folder.svelte'
import { child, isWithin, parentOf } from './path'

/** Runs one action, says what failed, and shows what changed. */
export async function attempt<T>(action: () => Promise<T>): Promise<T | undefined> {
  try {
    return await action()
  } catch (error) {
    toasts.failed(error)
    return undefined
  } finally {
    void folder.refresh()
  }
}

export const createFolder = (parent: string, name: string) => attempt(() => files.createFolder(child(parent, name)))

export const rename = (entry: Entry, name: string) =>
  attempt(async () => {
    const moved = await files.move(entry.path, child(parentOf(entry.path), name))
    toasts.say(t('renamed', { name }), undoMoves([{ from: entry.path, to: moved.path }]))
  })

export const move = (entries: Entry[], to: string) =>
  attempt(async () => {
    const moves: Move[] = []
    for (const entry of entries) {
      if (parentOf(entry.path) === to || isWithin(to, entry.path)) continue
      const moved = await files.move(entry.path, child(to, entry.name), true)
      moves.push({ from: entry.path, to: moved.path })
    }
    if (moves.length > 0) toasts.say(t('moved', { count: moves.length }), undoMoves(moves))
  })

export const copy = (entries: Entry[], to: string) =>
  attempt(async () => {
    for (const entry of entries) await files.copy(entry.path, child(to, entry.name), true)
    toasts.say(t('copied_entries', { count: entries.length }))
  })

export const remove = (entries: Entry[]) =>
  attempt(async () => {
    const trashed: string[] = []
    for (const entry of entries) trashed.push((await files.remove(entry.path)).trashed)
    const run = () => attempt(() => Promise.all(trashed.map(files.undelete)))
    toasts.say(t('deleted', { count: trashed.length }), { text: t('undo'), run })
  })

export function download(entries: Entry[]): void {
  for (const entry of entries) {
    if (entry.type !== 'file') continue
    const link = document.createElement('a')
    link.href = files.contentAddress(entry.path)
    link.download = entry.name
    link.click()
  }
}

interface Move {
  from: string
  to: string
}

function undoMoves(moves: Move[]) {
  const run = () =>
    attempt(async () => {
      for (const { from, to } of moves) await files.move(to, from)
    })
  return { text: t('undo'), run }
}
