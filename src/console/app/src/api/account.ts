// Account calls: quota, devices, passwords.
import { call } from './http'
import type { Account, AppPassword, Device } from './types'

export const account = () => call<Account>('GET', '/account')
export const revokeDevice = (id: string) => call('DELETE', `/account/sessions/${encodeURIComponent(id)}`)
export const createAppPassword = (name: string) => call<AppPassword>('POST', '/account/app_passwords', { name })
export const revokeAppPassword = (id: string) => call('DELETE', `/account/app_passwords/${encodeURIComponent(id)}`)
export const changePassword = (old: string, next: string) => call('POST', '/account/password', { old, new: next })

export async function devices(): Promise<Device[]> {
  return (await call<{ sessions: Device[] }>('GET', '/account/sessions')).sessions
}

export async function appPasswords(): Promise<AppPassword[]> {
  return (await call<{ app_passwords: AppPassword[] }>('GET', '/account/app_passwords')).app_passwords
}
