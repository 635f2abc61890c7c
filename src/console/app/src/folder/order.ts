// Order: how entries of a folder are sorted. Folders stand before files.
import type { Entry } from '../api/types'

export const columns = ['name', 'modified', 'size'] as const
export type Column = (typeof columns)[number]
export interface Order {
  by: Column
  down: boolean
}

const names = new Intl.Collator(undefined, { numeric: true, sensitivity: 'base' })

export function sorted(entries: Iterable<Entry>, order: Order): Entry[] {
  const direction = order.down ? -1 : 1
  return [...entries].sort((a, b) => {
    if (a.type !== b.type) return a.type === 'folder' ? -1 : 1
    return direction * (compared(a, b, order.by) || names.compare(a.name, b.name))
  })
}

export const modifiedOf = (entry: Entry): string => (entry.type === 'file' ? (entry.client_modified ?? entry.modified) : entry.created)
export const sizeOf = (entry: Entry): number => (entry.type === 'file' ? entry.size : entry.bytes)

function compared(a: Entry, b: Entry, by: Column): number {
  if (by === 'modified') return modifiedOf(a) < modifiedOf(b) ? -1 : modifiedOf(a) > modifiedOf(b) ? 1 : 0
  return by === 'size' ? sizeOf(a) - sizeOf(b) : 0
}
