// Tray: every upload of this page, a few of them running at a time.
// Owns: order, pause, retries, questions about names. Does not own: how bytes travel (transfer).
import { ApiError } from '../api/http'
import * as files from '../api/files'
import { inWords } from '../words/errors'
import type { Found } from './dropped'
import { Rate } from './rate'
import { forget, sameFile, unfinished, type Remembered } from './remembered'
import { CHUNK_BYTES, abandon, transferred, type OnConflict } from './transfer'

const RUNNING_MAX = 3
const RETRIES_MAX = 8
const RETRY_MS = 1000
const RETRY_MS_MAX = 30_000

export type UploadState = 'waiting' | 'running' | 'paused' | 'asking' | 'done' | 'skipped' | 'failed'
export type Choice = 'replace' | 'keep both' | 'skip'

export class Upload {
  state = $state<UploadState>('waiting')
  sent = $state(0)
  problem = $state('')
  onConflict: OnConflict = 'ask'
  retries = 0
  stop = new AbortController()

  constructor(
    readonly file: File,
    readonly path: string,
  ) {}
}

class Tray {
  uploads = $state.raw<Upload[]>([])
  /** Of an earlier visit: they go on when the person gives the files again. */
  interrupted = $state.raw<Remembered[]>(unfinished())
  speed = $state(0)
  asking = $derived(this.uploads.find((upload) => upload.state === 'asking'))
  total = $derived(this.uploads.reduce((sum, upload) => sum + upload.file.size, 0))
  sent = $derived(this.uploads.reduce((sum, upload) => sum + upload.sent, 0))
  active = $derived(this.uploads.filter((upload) => ['waiting', 'running', 'asking'].includes(upload.state)).length)

  #forAll: Choice | null = null
  #rate = new Rate()
  #travelled = 0

  async add(folder: string, found: Found[]): Promise<void> {
    for (const { path, file } of found) {
      if (!file) await this.#makeFolder(`${folder}/${path}`)
    }
    const uploads = found.flatMap(({ path, file }) => (file ? [new Upload(file, `${folder}/${path}`)] : []))
    if (this.active === 0) this.#forAll = null
    this.interrupted = this.interrupted.filter((kept) => !uploads.some(({ path, file }) => sameFile(kept, path, file)))
    this.uploads = [...this.uploads, ...uploads]
    this.#fill()
  }

  pause(upload: Upload): void {
    upload.state = 'paused'
    upload.stop.abort()
    this.#fill()
  }

  resume(upload: Upload): void {
    upload.retries = 0
    upload.problem = ''
    upload.state = 'waiting'
    this.#fill()
  }

  cancel(upload: Upload): void {
    upload.stop.abort()
    this.uploads = this.uploads.filter((other) => other !== upload)
    if (upload.state !== 'done') void abandon(upload.path, upload.file)
    this.#fill()
  }

  /** Drops what is over from the list. */
  clear(): void {
    this.uploads = this.uploads.filter((upload) => !['done', 'skipped'].includes(upload.state))
  }

  dismiss(kept: Remembered): void {
    forget(kept.session)
    this.interrupted = this.interrupted.filter((other) => other !== kept)
  }

  answer(choice: Choice, forAll: boolean): void {
    if (forAll) this.#forAll = choice
    for (const upload of this.uploads) {
      if (upload.state === 'asking') {
        this.#decide(upload, choice)
        if (!forAll) break
      }
    }
    this.#fill()
  }

  #fill(): void {
    const running = this.uploads.filter((upload) => upload.state === 'running').length
    const next = this.uploads.filter((upload) => upload.state === 'waiting').slice(0, Math.max(0, RUNNING_MAX - running))
    for (const upload of next) void this.#run(upload)
  }

  async #run(upload: Upload): Promise<void> {
    upload.state = 'running'
    const { signal } = (upload.stop = new AbortController())
    try {
      await this.#checkName(upload)
      signal.throwIfAborted()
      const { file, path, onConflict } = upload
      await transferred({ file, path, onConflict, signal, progress: (bytes) => this.#progress(upload, bytes) })
      upload.sent = upload.file.size
      upload.state = 'done'
    } catch (error) {
      if (!signal.aborted) this.#failed(upload, error)
    }
    this.#fill()
  }

  /** A large file asks before it travels; a small one is its own question. */
  async #checkName(upload: Upload): Promise<void> {
    if (upload.onConflict !== 'ask' || upload.file.size <= CHUNK_BYTES) return
    const taken = await files.metadata(upload.path).catch((error: unknown) => {
      if (error instanceof ApiError && error.status === 404) return null
      throw error
    })
    if (taken) throw new ApiError(409, 'conflict', '')
  }

  #progress(upload: Upload, bytes: number): void {
    if (bytes > upload.sent) upload.retries = 0
    this.#travelled += Math.max(0, bytes - upload.sent)
    // A request is longer than its file by its headers in some browsers' counts.
    upload.sent = Math.min(bytes, upload.file.size)
    this.#rate.add(performance.now(), this.#travelled)
    this.speed = this.#rate.perSecond
  }

  #failed(upload: Upload, error: unknown): void {
    const conflict = error instanceof ApiError && error.status === 409 && ['conflict', 'exists'].includes(error.code)
    if (conflict && upload.onConflict === 'ask') {
      upload.sent = 0
      if (this.#forAll) this.#decide(upload, this.#forAll)
      else upload.state = 'asking'
      return
    }
    const lost = error instanceof ApiError && (error.passing || error.status === 404 || error.code === 'incorrect_offset')
    if (lost && upload.retries < RETRIES_MAX) return this.#later(upload)
    upload.state = 'failed'
    upload.problem = inWords(error)
  }

  #later(upload: Upload): void {
    upload.state = 'running'
    const wait = Math.min(RETRY_MS * 2 ** upload.retries++, RETRY_MS_MAX)
    const { signal } = upload.stop
    setTimeout(() => {
      if (!signal.aborted) void this.#run(upload)
    }, wait)
  }

  #decide(upload: Upload, choice: Choice): void {
    if (choice === 'skip') upload.state = 'skipped'
    else {
      upload.onConflict = choice
      upload.state = 'waiting'
    }
  }

  async #makeFolder(path: string): Promise<void> {
    await files.createFolder(path).catch((error: unknown) => {
      if (!(error instanceof ApiError && error.code === 'exists')) throw error
    })
  }
}

export const tray = new Tray()
