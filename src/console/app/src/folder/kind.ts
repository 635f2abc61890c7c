// Kind: what a file is to a person, by its type; what can be shown of it.
import type { Entry, FileEntry } from '../api/types'
import type { IconName } from '../ui/icons'

export type Kind = 'image' | 'video' | 'audio' | 'pdf' | 'text' | 'other'

const textual = /^(text\/|application\/(json|xml|toml|yaml|x-yaml|x-sh|javascript|sql))/
const textNames = /\.(txt|md|rs|ts|js|svelte|py|go|c|h|cpp|java|sh|toml|ya?ml|json|xml|csv|log|ini|conf|sql|css|html?)$/i

export function kindOf(file: FileEntry): Kind {
  const type = file.mime_type
  if (type.startsWith('image/')) return 'image'
  if (type.startsWith('video/')) return 'video'
  if (type.startsWith('audio/')) return 'audio'
  if (type === 'application/pdf') return 'pdf'
  return textual.test(type) || textNames.test(file.name) ? 'text' : 'other'
}

const iconsOf: Record<Kind, IconName> = { image: 'image', video: 'media', audio: 'media', pdf: 'text', text: 'text', other: 'file' }

export const iconOf = (entry: Entry): IconName => (entry.type === 'folder' ? 'folder' : iconsOf[kindOf(entry)])
