// Toasts: short news at the foot of the page, read aloud, some with a way back.
import { inWords } from '../words/errors'

export interface Toast {
  id: number
  text: string
  bad: boolean
  action?: { text: string; run: () => void }
}

const SHOWN_MS = 8000
const SHOWN_MAX = 4

class Toasts {
  list = $state.raw<Toast[]>([])
  #next = 0

  say(text: string, action?: Toast['action']): void {
    this.#add({ id: this.#next++, text, bad: false, action })
  }

  failed(error: unknown): void {
    this.#add({ id: this.#next++, text: inWords(error), bad: true })
  }

  close(id: number): void {
    this.list = this.list.filter((toast) => toast.id !== id)
  }

  #add(toast: Toast): void {
    this.list = [...this.list, toast].slice(-SHOWN_MAX)
    setTimeout(() => this.close(toast.id), SHOWN_MS)
  }
}

export const toasts = new Toasts()
