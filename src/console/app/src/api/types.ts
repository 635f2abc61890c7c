// Types: what the drive's API answers, field by field.
export interface FileEntry {
  type: 'file'
  id: string
  name: string
  path: string
  rev: string
  size: number
  modified: string
  client_modified: string | null
  mime_type: string
  author: string
  device: string
  revisions: number
}

export interface FolderEntry {
  type: 'folder'
  id: string
  name: string
  path: string
  created: string
  files: number
  folders: number
  bytes: number
}

export interface Removed {
  type: 'removed'
  id: string
  path: string
  was: 'file' | 'folder'
}

export type Entry = FileEntry | FolderEntry

export interface ListPage {
  entries: (Entry | Removed)[]
  cursor: string
  has_more: boolean
}

export interface Revision {
  rev: string
  size: number
  modified: string
  author: string
  device: string
  reason: string
  label: string | null
  keep_forever: boolean
  is_head: boolean
}

export interface TrashItem {
  trashed: string
  entry: Entry
  path: string
  deleted: string
}

export type Role = 'view' | 'edit' | 'drop'

export interface ShareLink {
  id: string
  url: string | null
  role: Role
  expires: string | null
  has_password: boolean
  downloads: number
  max_downloads: number | null
  path: string | null
  created: string
}

export interface Account {
  user: string
  display_name: string
  quota: { limit: number | null; used: number; live: number; versions: number; trash: number }
  bucket: string
  /** Devices whose deletes are refused. */
  held: HeldDevice[]
}

export interface HeldDevice {
  device: string
  since: string
  entries: number
  of_entries: number
}

/** What a rewind did, or would do. */
export interface Rewound {
  restored: number
  moved: number
  removed: number
  reset: number
  lost: number
}

export interface Device {
  id: string
  device: string
  last_used: string
  current: boolean
}

export interface AppPassword {
  id: string
  name: string
  last_used?: string
  /** Once, in the answer that made it. */
  password?: string
}
