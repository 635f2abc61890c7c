// Path: parts of paths in the drive. The root is the empty path, every other begins with a slash.
export const parentOf = (path: string): string => path.slice(0, Math.max(0, path.lastIndexOf('/')))
export const nameOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1)
export const child = (folder: string, name: string): string => `${folder}/${name}`

/** `/A/b` → `["/A", "/A/b"]`. */
export function chain(path: string): string[] {
  const names = path.split('/').slice(1)
  return names.map((_, index) => `/${names.slice(0, index + 1).join('/')}`)
}

export const isWithin = (path: string, folder: string): boolean => path === folder || path.startsWith(`${folder}/`)
