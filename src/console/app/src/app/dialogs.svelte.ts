// Dialogs: the one dialog that is open, and what it is about.
import type { Entry, FileEntry } from '../api/types'

export type Open =
  | { is: 'new folder' | 'rewind'; folder: string }
  | { is: 'rename' | 'share'; entry: Entry }
  | { is: 'versions' | 'preview'; entry: FileEntry; among: Entry[] }
  | { is: 'move' | 'copy'; entries: Entry[] }
  | { is: 'keys' }

class Dialogs {
  open = $state.raw<Open | null>(null)
  close = (): void => {
    this.open = null
  }
}

export const dialogs = new Dialogs()
