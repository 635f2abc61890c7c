// Links calls: what is shared with people who have the address.
import { call } from './http'
import type { Role, ShareLink } from './types'

export interface NewLink {
  path: string
  role: Role
  expires?: string
  password?: string
  max_downloads?: number
}

export const create = (link: NewLink) => call<ShareLink>('POST', '/links/create', link)
export const revoke = (id: string) => call('POST', '/links/revoke', { id })

export async function list(path?: string): Promise<ShareLink[]> {
  return (await call<{ links: ShareLink[] }>('POST', '/links/list', { path })).links
}
