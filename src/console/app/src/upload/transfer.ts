// Transfer: brings one file to the server. Small files in one request, large ones in chunks of a session that can go on later.
// Our own, over the server's own protocol: a client library for another protocol would weigh more than this and still need a queue.
import { ApiError, csrfHeaders, errorOf } from '../api/http'
import type { FileEntry } from '../api/types'
import { forget, recall, remember } from './remembered'
import { send, type Answer } from './request'

export const CHUNK_BYTES = 8 * 1024 * 1024

/** What to do with a file that is there already: refuse, a new revision of it, or another name. */
export type OnConflict = 'ask' | 'replace' | 'keep both'

export interface Transfer {
  file: File
  path: string
  onConflict: OnConflict
  signal: AbortSignal
  progress: (bytes: number) => void
}

export function transferred(transfer: Transfer): Promise<FileEntry> {
  return transfer.file.size > CHUNK_BYTES ? inChunks(transfer) : atOnce(transfer)
}

/** Frees what the server keeps of an upload that will not go on. */
export async function abandon(path: string, file: File): Promise<void> {
  const kept = recall(path, file)
  if (!kept) return
  forget(kept.session)
  await fetch(kept.session, { method: 'DELETE', headers: csrfHeaders() }).catch(() => {})
}

function wishes({ file, path, onConflict }: Transfer) {
  const mode = onConflict === 'replace' ? 'overwrite' : 'add'
  const client_modified = new Date(file.lastModified).toISOString()
  return { path, mode, autorename: onConflict === 'keep both', client_modified }
}

async function atOnce(transfer: Transfer): Promise<FileEntry> {
  const query = new URLSearchParams({ uploadType: 'media' })
  for (const [name, value] of Object.entries(wishes(transfer))) query.set(name, String(value))
  const answer = await send({
    method: 'POST',
    url: `/files/upload?${query}`,
    body: transfer.file,
    headers: { 'Content-Type': transfer.file.type || 'application/octet-stream' },
    signal: transfer.signal,
    sent: transfer.progress,
  })
  return entryOf(answer)
}

async function inChunks(transfer: Transfer): Promise<FileEntry> {
  const { file, path, signal, progress } = transfer
  const session = recall(path, file)?.session ?? (await begun(transfer))
  remember({ session, path, size: file.size, modified: file.lastModified, at: Date.now() })
  try {
    let answer = await send({ method: 'PUT', url: session, headers: { 'Content-Range': `bytes */${file.size}` }, signal })
    while (answer.status === 308) {
      const from = received(answer)
      progress(from)
      answer = await chunk(transfer, session, from)
    }
    const entry = entryOf(answer)
    forget(session)
    return entry
  } catch (error) {
    // Not there any more, or finished with a refusal: the next try needs a new one.
    const over = error instanceof ApiError && !error.passing && error.status !== 401 && error.code !== 'incorrect_offset'
    if (over) forget(session)
    throw error
  }
}

async function begun(transfer: Transfer): Promise<string> {
  const { file, signal } = transfer
  const answer = await send({
    method: 'POST',
    url: '/files/upload?uploadType=resumable',
    body: JSON.stringify(wishes(transfer)),
    headers: {
      'Content-Type': 'application/json; charset=UTF-8',
      'X-Upload-Content-Type': file.type || 'application/octet-stream',
      'X-Upload-Content-Length': String(file.size),
    },
    signal,
  })
  const location = answer.header('Location')
  if (answer.status !== 200 || !location) throw errorOf(answer.status, answer.body)
  return new URL(location, document.baseURI).pathname
}

function chunk({ file, signal, progress }: Transfer, session: string, from: number): Promise<Answer> {
  const to = Math.min(from + CHUNK_BYTES, file.size)
  return send({
    method: 'PUT',
    url: session,
    body: file.slice(from, to),
    headers: { 'Content-Range': `bytes ${from}-${to - 1}/${file.size}` },
    signal,
    sent: (bytes) => progress(from + bytes),
  })
}

/** `Range: bytes=0-41` says that 42 are there; without it there is nothing yet. */
function received(answer: Answer): number {
  const last = /-(\d+)$/.exec(answer.header('Range') ?? '')?.[1]
  return last === undefined ? 0 : Number(last) + 1
}

function entryOf(answer: Answer): FileEntry {
  if (answer.status !== 200 && answer.status !== 201) throw errorOf(answer.status, answer.body)
  return JSON.parse(answer.body) as FileEntry
}
