// Dropped: the files and folders of a drop, a paste or a picker, empty folders too.
export interface Found {
  /** Below the folder that was dropped on: `a/b.txt`. */
  path: string
  /** `null`: a folder. */
  file: File | null
}

/** To be called in the event itself: a drop is empty after it. */
export function foundIn(data: DataTransfer): Promise<Found[]> {
  const entries = [...data.items].map((item) => item.webkitGetAsEntry()).filter((entry) => entry !== null)
  if (entries.length > 0) return Promise.all(entries.map((entry) => below(entry, ''))).then((lists) => lists.flat())
  return Promise.resolve(foundInPicker(data.files))
}

export function foundInPicker(files: Iterable<File>): Found[] {
  return [...files].map((file) => ({ path: file.webkitRelativePath || file.name, file }))
}

async function below(entry: FileSystemEntry, prefix: string): Promise<Found[]> {
  const path = prefix + entry.name
  if (entry.isFile) {
    const file = await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject))
    return [{ path, file }]
  }
  const found: Found[] = [{ path, file: null }]
  const reader = (entry as FileSystemDirectoryEntry).createReader()
  // A reader gives at most a hundred entries at a time, and none at the end.
  for (;;) {
    const entries = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject))
    if (entries.length === 0) return found
    for (const inner of entries) found.push(...(await below(inner, `${path}/`)))
  }
}
