// Clipboard: entries that were cut or copied and wait to be pasted.
import type { Entry } from '../api/types'
import * as actions from './actions'

class Clipboard {
  held = $state.raw<{ cut: boolean; entries: Entry[] } | null>(null)

  hold(entries: Entry[], cut: boolean): void {
    this.held = entries.length > 0 ? { cut, entries } : null
  }

  async paste(to: string): Promise<void> {
    if (!this.held) return
    const { cut, entries } = this.held
    if (cut) this.held = null
    await (cut ? actions.move(entries, to) : actions.copy(entries, to))
  }
}

export const clipboard = new Clipboard()
