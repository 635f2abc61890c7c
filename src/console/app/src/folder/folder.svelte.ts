// Folder: the entries of the folder that is shown, kept as the server has them.
// Owns: the pages of the listing and the changes after it. Invariant: answers for a folder that was left are dropped.
import { ApiError } from '../api/http'
import * as files from '../api/files'
import type { Entry, ListPage } from '../api/types'
import { sorted, type Order } from './order'

/** Sorting 50,000 names takes as long as asking for some pages of them. */
const SORT_EVERY_MS = 400

class Folder {
  path = $state('')
  entries = $state.raw<Entry[]>([])
  loading = $state(false)
  error = $state.raw<unknown>(null)
  order = $state.raw<Order>({ by: 'name', down: false })

  #byId = new Map<string, Entry>()
  #cursor = ''
  #left = new AbortController()
  #sortedAt = 0
  #refreshing: Promise<void> | null = null
  #stale = false

  async open(path: string): Promise<void> {
    this.#left.abort()
    const { signal } = (this.#left = new AbortController())
    const another = path !== this.path
    this.path = path
    if (another) this.entries = []
    this.loading = true
    this.error = null
    try {
      await this.#load(path, signal)
    } catch (error) {
      if (!signal.aborted) this.error = error
    } finally {
      if (!signal.aborted) this.loading = false
    }
  }

  sort(order: Order): void {
    this.order = order
    this.#show()
  }

  /** Asks what changed since the listing. Calls during an answer are one more question after it. */
  refresh(): Promise<void> {
    this.#stale = true
    this.#refreshing ??= this.#catchUp().finally(() => (this.#refreshing = null))
    return this.#refreshing
  }

  close(): void {
    this.#left.abort()
    this.#cursor = ''
  }

  async #load(path: string, signal: AbortSignal): Promise<void> {
    this.#byId = new Map()
    this.#cursor = ''
    let page = await files.list(path, signal)
    this.#take(page, signal)
    this.#show()
    while (page.has_more) {
      page = await files.listMore(page.cursor, signal)
      this.#take(page, signal)
      if (performance.now() - this.#sortedAt > SORT_EVERY_MS) this.#show()
    }
    this.#cursor = page.cursor
    this.#show()
  }

  async #catchUp(): Promise<void> {
    while (this.#stale && this.#cursor) {
      this.#stale = false
      const { signal } = this.#left
      try {
        const page = await files.listMore(this.#cursor, signal)
        this.#take(page, signal)
        this.#cursor = page.cursor
        this.#stale ||= page.has_more
        this.#show()
      } catch (error) {
        // A cursor that is too old: what is shown may be, too.
        if (error instanceof ApiError && error.status === 410) return this.open(this.path)
        if (!signal.aborted && !(error instanceof ApiError && error.passing)) this.error = error
        return
      }
    }
  }

  #take(page: ListPage, signal: AbortSignal): void {
    signal.throwIfAborted()
    for (const entry of page.entries) {
      if (entry.type !== 'removed') this.#byId.set(entry.id, entry)
      else if (this.#byId.get(entry.id)?.path === entry.path) this.#byId.delete(entry.id)
    }
  }

  #show(): void {
    this.#sortedAt = performance.now()
    this.entries = sorted(this.#byId.values(), this.order)
  }
}

export const folder = new Folder()
