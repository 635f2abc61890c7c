// Remembered: sessions of uploads that were not finished, so that the same file goes on where it stopped, also after a crash.
// Invariant: what is kept names a session, and gives no access to it without the person's own sign-in.
const KEY = 'onggi.uploads'
/** The server forgets a session that nobody wrote to for a week. */
const KEPT_MS = 7 * 24 * 3600 * 1000
const KEPT_MAX = 500

export interface Remembered {
  session: string
  path: string
  size: number
  modified: number
  at: number
}

export const sameFile = (kept: Remembered, path: string, file: File): boolean =>
  kept.path === path && kept.size === file.size && kept.modified === file.lastModified

export function unfinished(): Remembered[] {
  try {
    const kept = JSON.parse(localStorage.getItem(KEY) ?? '[]') as Remembered[]
    return kept.filter((upload) => upload.at > Date.now() - KEPT_MS)
  } catch {
    return []
  }
}

export function recall(path: string, file: File): Remembered | undefined {
  return unfinished().find((kept) => sameFile(kept, path, file))
}

export function remember(upload: Remembered): void {
  const others = unfinished().filter((kept) => kept.session !== upload.session)
  save([...others, upload].slice(-KEPT_MAX))
}

export function forget(session: string): void {
  save(unfinished().filter((kept) => kept.session !== session))
}

function save(uploads: Remembered[]): void {
  try {
    localStorage.setItem(KEY, JSON.stringify(uploads))
  } catch {
    // A full or forbidden store: the upload goes on, only a crash would cost it.
  }
}
