// Session calls: sign in, ask who is signed in, sign out.
import { ApiError, call, rememberCsrf } from './http'

interface ConsoleSession {
  csrf: string
  user: string
}

export async function signIn(user: string, password: string): Promise<string> {
  return remembered(await call<ConsoleSession>('POST', '/console/session', { user, password }))
}

/** `null`: nobody is. */
export async function signedInUser(): Promise<string | null> {
  try {
    return remembered(await call<ConsoleSession>('GET', '/console/session'))
  } catch (error) {
    if (error instanceof ApiError && error.status === 401) return null
    throw error
  }
}

export async function signOut(): Promise<void> {
  await call('DELETE', '/console/session')
  rememberCsrf('')
}

function remembered(session: ConsoleSession): string {
  rememberCsrf(session.csrf)
  return session.user
}
