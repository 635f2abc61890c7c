// Live: hears from the server that something changed. Hidden pages do not listen: each would hold a connection.
const AGAIN_MS = 5000

export function listen(cursor: () => Promise<string>, changed: () => void): () => void {
  let source: EventSource | null = null
  let again: ReturnType<typeof setTimeout> | undefined
  let stopped = false

  async function open() {
    if (source || stopped || document.hidden) return
    try {
      const from = await cursor()
      if (stopped || source) return
      source = new EventSource(`/files/events?cursor=${encodeURIComponent(from)}`)
    } catch {
      return retry()
    }
    source.addEventListener('change', changed)
    source.onerror = retry
  }

  function close() {
    clearTimeout(again)
    source?.close()
    source = null
  }

  function retry() {
    close()
    again = setTimeout(open, AGAIN_MS)
  }

  function turned() {
    if (document.hidden) return close()
    changed()
    void open()
  }

  document.addEventListener('visibilitychange', turned)
  void open()
  return () => {
    stopped = true
    document.removeEventListener('visibilitychange', turned)
    close()
  }
}
