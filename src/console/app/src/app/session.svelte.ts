// Session: who is signed in, as the page knows it.
import * as api from '../api/session'
import { onSignedOut } from '../api/http'

type State = { is: 'asking' } | { is: 'out' } | { is: 'in'; user: string } | { is: 'unknown'; error: unknown }

class Session {
  state = $state.raw<State>({ is: 'asking' })

  async ask(): Promise<void> {
    try {
      const user = await api.signedInUser()
      this.state = user === null ? { is: 'out' } : { is: 'in', user }
    } catch (error) {
      this.state = { is: 'unknown', error }
    }
  }

  async signIn(user: string, password: string): Promise<void> {
    this.state = { is: 'in', user: await api.signIn(user, password) }
  }

  async signOut(): Promise<void> {
    await api.signOut()
    this.state = { is: 'out' }
  }

  ended(): void {
    if (this.state.is === 'in') this.state = { is: 'out' }
  }
}

export const session = new Session()
onSignedOut(() => session.ended())
