// Share calls: what a visitor with a link may ask, without an account.
import { call, errorOf } from './http'
import type { Entry, Role } from './types'

export interface Shared {
  entry: Entry
  role: Role
  entries: Entry[]
  cursor: string
  has_more: boolean
}

const base = (token: string) => `/s/${encodeURIComponent(token)}`

export const unlock = (token: string, password: string) => call('POST', `${base(token)}/unlock`, { password })
export const list = (token: string, path: string, cursor?: string) => call<Shared>('POST', `${base(token)}/list`, { path, cursor })

export function contentAddress(token: string, path: string, inline: boolean): string {
  const query = new URLSearchParams({ path })
  if (inline) query.set('inline', 'true')
  return `${base(token)}/download?${query}`
}

export async function upload(token: string, path: string, file: File): Promise<void> {
  const response = await fetch(`${base(token)}/upload?${new URLSearchParams({ path })}`, { method: 'POST', body: file })
  if (!response.ok) throw errorOf(response.status, await response.text())
}
