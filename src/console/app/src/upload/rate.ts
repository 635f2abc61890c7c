// Rate: bytes a second over the last seconds, from a counter that only grows.
const WINDOW_MS = 8000

export class Rate {
  #samples: { at: number; bytes: number }[] = []

  add(at: number, bytes: number): void {
    this.#samples.push({ at, bytes })
    while (this.#samples[0] && this.#samples[0].at < at - WINDOW_MS) this.#samples.shift()
  }

  get perSecond(): number {
    const [first, last] = [this.#samples[0], this.#samples.at(-1)]
    if (!first || !last || last.at === first.at) return 0
    return Math.max(0, ((last.bytes - first.bytes) * 1000) / (last.at - first.at))
  }
}
