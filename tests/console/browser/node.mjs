// Node: one `onggi server` with a user, over as many lives as a test needs.
import { spawn, spawnSync } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export const user = { name: 'ana', password: 'a quiet kiln at dawn' }
const keys = { ONGGI_ROOT_ACCESS_KEY: 'browser-tests', ONGGI_ROOT_SECRET_KEY: 'of-the-browser-tests' }
const START_MS_MAX = 60_000

export class Node {
  #folder = mkdtempSync(join(tmpdir(), 'onggi-browser-'))
  #process = null
  #listen = { s3: '127.0.0.1:0', web: '127.0.0.1:0', peer: '127.0.0.1:0' }
  web = ''

  static async start() {
    const node = new Node()
    await node.start()
    const arguments_ = ['admin', '--endpoint', node.web, '--data-dir', node.#data, 'user', 'create', user.name, '--password-stdin']
    const made = spawnSync(process.env.ONGGI_BIN, arguments_, { env: environment(), input: user.password, encoding: 'utf8' })
    if (made.status !== 0) throw new Error(made.stderr)
    return node
  }

  /** At the addresses of its last life, if it had one. */
  async start() {
    const flags = Object.entries(this.#listen).flatMap(([name, address]) => [`--${name}-listen`, address])
    const log = openSync(this.#log, 'a')
    this.#process = spawn(process.env.ONGGI_BIN, ['server', '--data-dir', this.#data, ...flags], { env: environment(), stdio: ['ignore', 'pipe', log] })
    closeSync(log)
    const ready = await this.#readyLine()
    this.web = /web=(\S+)/.exec(ready)[1]
    this.#listen = { ...this.#listen, s3: new URL(/s3=(\S+)/.exec(ready)[1]).host, web: new URL(this.web).host }
  }

  /** As a crash: nothing is flushed, nobody is told. */
  async kill() {
    const ended = new Promise((resolve) => this.#process.once('exit', resolve))
    this.#process.kill('SIGKILL')
    await ended
  }

  async end() {
    await this.kill()
    rmSync(this.#folder, { recursive: true })
  }

  get #data() {
    return join(this.#folder, 'data')
  }

  get #log() {
    return join(this.#folder, 'log')
  }

  #readyLine() {
    return new Promise((resolve, reject) => {
      let text = ''
      const timer = setTimeout(() => reject(new Error(`the node is not ready:\n${readFileSync(this.#log)}`)), START_MS_MAX)
      this.#process.stdout.on('data', (some) => {
        text += some
        const line = text.split('\n').find((one) => one.startsWith('onggi ready '))
        if (line) resolve(line, clearTimeout(timer))
      })
      this.#process.once('exit', () => reject(new Error(`the node ended:\n${readFileSync(this.#log)}`)))
    })
  }
}

function environment() {
  const others = Object.entries(process.env).filter(([name]) => !name.startsWith('ONGGI_'))
  return { ...Object.fromEntries(others), ...keys }
}
