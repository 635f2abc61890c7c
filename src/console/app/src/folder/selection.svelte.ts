// Selection: which entries of a list are chosen, and which one the keys act on.
import type { Entry } from '../api/types'

export class Selection {
  ids = $state.raw<ReadonlySet<string>>(new Set())
  /** The row that arrows move. */
  active = $state(0)
  /** The other end of a range. */
  #anchor = 0

  entries(all: Entry[]): Entry[] {
    return all.filter((entry) => this.ids.has(entry.id))
  }

  clear(): void {
    this.ids = new Set()
  }

  all(entries: Entry[]): void {
    this.ids = new Set(entries.map((entry) => entry.id))
  }

  only(entries: Entry[], index: number): void {
    this.#moveTo(index)
    this.ids = new Set(entries.slice(index, index + 1).map((entry) => entry.id))
  }

  toggle(entries: Entry[], index: number): void {
    const id = entries[index]?.id
    if (!id) return
    this.#moveTo(index)
    const ids = new Set(this.ids)
    if (!ids.delete(id)) ids.add(id)
    this.ids = ids
  }

  range(entries: Entry[], index: number): void {
    this.active = index
    const [from, to] = [Math.min(this.#anchor, index), Math.max(this.#anchor, index)]
    this.ids = new Set(entries.slice(from, to + 1).map((entry) => entry.id))
  }

  #moveTo(index: number): void {
    this.active = index
    this.#anchor = index
  }
}
