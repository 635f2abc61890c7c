// Session: who is signed in, as the page knows it.
import * as api from '../api/session'
import { onRefused } from '../api/http'

type State = { is: 'asking' } | { is: 'out' } | { is: 'in'; user: string } | { is: 'unknown'; error: unknown }

class Session {
  #doubted = false
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

  /** A call was refused. That may be for a wrong password in it: whether the session is over, the server knows. */
  async doubted(): Promise<void> {
    if (this.state.is !== 'in' || this.#doubted) return
    this.#doubted = true
    await this.ask().finally(() => (this.#doubted = false))
  }
}

export const session = new Session()
onRefused(() => void session.doubted())
