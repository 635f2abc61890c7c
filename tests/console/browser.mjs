#!/usr/bin/env node
// The web page in a browser, against a node of its own: what a person does, and what they see.
// Owns: ${XDG_CACHE_HOME:-~/.cache}/onggi-browser, with what npm installs. Nothing is written to the tree.
//
//     ONGGI_BIN=target/debug/onggi node tests/console/browser.mjs
import { execFileSync, spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

const here = join(import.meta.dirname, 'browser')
const room = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'onggi-browser')
const browser = (process.env.PATH ?? '').split(':').flatMap((folder) => ['chromium', 'chromium-browser', 'google-chrome'].map((name) => join(folder, name))).find(existsSync)

if (!process.env.ONGGI_BIN || !existsSync(process.env.ONGGI_BIN)) fail('set ONGGI_BIN to the onggi binary (cargo build makes target/debug/onggi)')
if (!browser) fail('no Chromium: sudo apt-get install -y chromium')
mkdirSync(room, { recursive: true })
for (const name of ['package.json', 'package-lock.json']) copyFileSync(join(here, name), join(room, name))
execFileSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: room, stdio: ['ignore', 'ignore', 'inherit'] })

const suites = ['files', 'many', 'rewind', 'uploads', 'sharing'].map((name) => join(here, `${name}.test.mjs`))
const environment = { ...process.env, ONGGI_BROWSER: browser, ONGGI_BROWSER_MODULES: room }
// One after the other: each has a node and a browser.
const { status } = spawnSync(process.execPath, ['--test', '--test-concurrency=1', '--test-reporter=spec', ...suites], { env: environment, stdio: 'inherit' })
process.exit(status ?? 1)

function fail(reason) {
  console.error(`browser: ${reason}`)
  process.exit(1)
}
