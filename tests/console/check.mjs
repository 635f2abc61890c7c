#!/usr/bin/env node
// Checks the committed build of the web page: it is what its sources make, and its first load is small.
// Owns: a copy of the sources in ${XDG_CACHE_HOME:-~/.cache}/onggi-console, with what npm installs. Nothing is written to the tree.
import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { brotliDecompressSync, gunzipSync } from 'node:zlib'

const FIRST_LOAD_BYTES_MAX = 90_000
const page = join(import.meta.dirname, '../../src/console')
const room = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'onggi-console')

const [major, minor] = process.versions.node.split('.').map(Number)
// What Vite needs (package.json, `engines`).
if (major < 20 || (major === 20 && minor < 19) || (major === 22 && minor < 12)) {
  console.log(`NOT TESTED: the web page builds with Node 20.19 or newer, this is ${process.versions.node}`)
  process.exit(0)
}

const problems = [...differences(join(page, 'dist'), rebuilt()), ...unequalForms(join(page, 'dist')), ...tooLarge(join(page, 'dist'))]
for (const problem of problems) console.error(`console: ${problem}`)
console.log(`${problems.length === 0 ? 1 : 0} passed, ${problems.length} failed`)
process.exit(problems.length === 0 ? 0 : 1)

function rebuilt() {
  const [sources, out] = [join(room, 'app'), join(room, 'dist')]
  mkdirSync(sources, { recursive: true })
  for (const name of readdirSync(sources)) if (name !== 'node_modules') rmSync(join(sources, name), { recursive: true })
  cpSync(join(page, 'app'), sources, { recursive: true, filter: (file) => !file.includes('node_modules') })
  const run = (...command) => execFileSync('npm', command, { cwd: sources, stdio: ['ignore', 'ignore', 'inherit'], env: { ...process.env, ONGGI_CONSOLE_OUT: out } })
  run('ci', '--ignore-scripts')
  run('run', 'check')
  run('run', 'build')
  return out
}

/** Compressed forms may differ from one version of Node to the next; what is in them may not (`unequalForms`). */
function differences(committed, made) {
  const plain = (folder) => filesBelow(folder).filter((file) => !/\.(br|gz)$/.test(file))
  const names = new Set([...plain(committed), ...plain(made)])
  const differs = (name) => {
    const [one, other] = [join(committed, name), join(made, name)]
    return !existsSync(one) || !existsSync(other) || !readFileSync(one).equals(readFileSync(other))
  }
  return [...names].filter(differs).map((name) => `dist/${name} is not what the sources make: run \`npm run build\` in src/console/app`)
}

function unequalForms(folder) {
  return filesBelow(folder)
    .filter((file) => /\.(br|gz)$/.test(file))
    .filter((file) => {
      const bytes = readFileSync(join(folder, file))
      const plain = file.endsWith('.br') ? brotliDecompressSync(bytes) : gunzipSync(bytes)
      return !plain.equals(readFileSync(join(folder, file.slice(0, -3))))
    })
    .map((file) => `dist/${file} is not its plain form, compressed`)
}

/** Everything that the page names is loaded at once. */
function tooLarge(folder) {
  const named = [...readFileSync(join(folder, 'index.html'), 'utf8').matchAll(/(?:src|href)="\/(assets\/[^"]+)"/g)].map((match) => match[1])
  const bytes = ['index.html', ...named].reduce((sum, file) => sum + readFileSync(join(folder, `${file}.gz`)).length, 0)
  return bytes > FIRST_LOAD_BYTES_MAX ? [`the first load is ${bytes} bytes, more than ${FIRST_LOAD_BYTES_MAX}`] : []
}

function filesBelow(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
}
