// Request: one upload request. XMLHttpRequest, because fetch does not tell how far a body is sent.
import { ApiError, csrfHeaders } from '../api/http'

export interface Answer {
  status: number
  body: string
  header: (name: string) => string | null
}

export interface Sending {
  method: 'POST' | 'PUT'
  url: string
  body?: Blob | string
  headers?: Record<string, string>
  signal: AbortSignal
  sent?: (bytes: number) => void
}

export function send({ method, url, body, headers = {}, signal, sent }: Sending): Promise<Answer> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted()
    const request = new XMLHttpRequest()
    const abort = () => request.abort()
    signal.addEventListener('abort', abort)
    request.open(method, url)
    for (const [name, value] of Object.entries({ ...csrfHeaders(), ...headers })) request.setRequestHeader(name, value)
    if (sent) request.upload.onprogress = (event) => sent(event.loaded)
    request.onloadend = () => {
      signal.removeEventListener('abort', abort)
      if (signal.aborted) reject(signal.reason as Error)
      else if (request.status === 0) reject(new ApiError(0, 'offline', ''))
      else resolve({ status: request.status, body: request.responseText, header: (name) => request.getResponseHeader(name) })
    }
    request.send(body ?? null)
  })
}
