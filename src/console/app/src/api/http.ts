// HTTP: one call to the server, and what went wrong with it in words that code can ask for.

/** What the server refused, or `offline` when it could not be asked. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly details: Record<string, unknown> = {},
  ) {
    super(message)
  }

  /** The same call may succeed a little later. */
  get passing(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 500
  }
}

let csrf = ''
let refused: () => void = () => {}

export function rememberCsrf(token: string): void {
  csrf = token
}

/** `listener` hears of calls whose maker the server did not know. */
export function onRefused(listener: () => void): void {
  refused = listener
}

export function csrfHeaders(): Record<string, string> {
  return csrf ? { 'X-Onggi-CSRF': csrf } : {}
}

export type Method = 'GET' | 'POST' | 'DELETE'

export async function call<T>(method: Method, path: string, body?: unknown, signal?: AbortSignal): Promise<T> {
  const response = await fetched(method, path, body, signal)
  if (!response.ok) throw await refusal(response)
  const text = await response.text()
  return (text ? JSON.parse(text) : {}) as T
}

async function fetched(method: Method, path: string, body: unknown, signal?: AbortSignal): Promise<Response> {
  const headers: Record<string, string> = { Accept: 'application/json', ...csrfHeaders() }
  if (body !== undefined) headers['Content-Type'] = 'application/json'
  try {
    return await fetch(path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body), signal })
  } catch (error) {
    if (signal?.aborted) throw error
    throw new ApiError(0, 'offline', String(error))
  }
}

async function refusal(response: Response): Promise<ApiError> {
  return errorOf(response.status, await response.text().catch(() => ''))
}

/** Also for answers that came another way than through `call`. */
export function errorOf(status: number, body: string): ApiError {
  let error: Record<string, unknown> = {}
  try {
    error = (JSON.parse(body) as { error?: Record<string, unknown> }).error ?? {}
  } catch {
    // A proxy's answer, not ours: the status has to do.
  }
  if (status === 401) refused()
  const code = typeof error.code === 'string' ? error.code : `http_${status}`
  const message = typeof error.message === 'string' ? error.message : ''
  return new ApiError(status, code, message, error)
}
