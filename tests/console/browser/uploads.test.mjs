// Uploads: folders as they are, and large files through whatever happens.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { createReadStream, mkdirSync, mkdtempSync, openSync, closeSync, rmSync, writeFileSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { stage } from './stage.mjs'

const MIB = 1024 * 1024
const folder = mkdtempSync(join(tmpdir(), 'onggi-browser-files-'))
let node, ana
stage((set) => ({ node, ana } = set))
after(() => rmSync(folder, { recursive: true }))

/** Every MiB is another one. */
function large(name, mebibytes) {
  const path = join(folder, name)
  const file = openSync(path, 'w')
  for (let at = 0; at < mebibytes; at++) writeSync(file, createHash('shake256', { outputLength: MIB }).update(`${name} ${at}`).digest())
  closeSync(file)
  return path
}

async function digest(path) {
  const hash = createHash('sha256')
  for await (const some of createReadStream(path)) hash.update(some)
  return hash.digest('hex')
}

async function stored(path) {
  const response = await ana.page.request.get(`${node.web}/files/download?path=${encodeURIComponent(path)}`)
  assert.equal(response.status(), 200)
  return createHash('sha256').update(await response.body()).digest('hex')
}

test('a folder comes as it is', async () => {
  mkdirSync(join(folder, 'tree/sub'), { recursive: true })
  writeFileSync(join(folder, 'tree/sub/a.txt'), 'a')
  writeFileSync(join(folder, 'tree/b.txt'), 'b')
  await ana.page.setInputFiles('input[data-role=folder]', join(folder, 'tree'))
  await ana.sees('tree')
  await ana.page.goto(`${node.web}/drive/tree`)
  await ana.sees('b.txt')
  await ana.page.goto(`${node.web}/drive/tree/sub`)
  await ana.sees('a.txt')
  await ana.page.goto(`${node.web}/drive`)
})

test('200 MiB, through a kill of the server', { timeout: 180_000 }, async () => {
  const path = large('large.bin', 200)
  const begins = []
  ana.page.on('request', (request) => {
    const begin = /bytes (\d+)-/.exec(request.headers()['content-range'] ?? '')?.[1]
    if (request.method() === 'PUT' && begin) begins.push(Number(begin))
  })
  await ana.page.setInputFiles('input[data-role=files]', path)
  while (!begins.some((begin) => begin >= 48 * MIB)) await ana.page.waitForTimeout(20)
  await node.kill()
  const before = begins.length
  await ana.page.waitForTimeout(1000)
  await node.start()
  const done = ana.page.locator('li[data-state=done]', { hasText: 'large.bin' })
  const failed = ana.page.locator('li[data-state=failed]', { hasText: 'large.bin' })
  await done.or(failed).first().waitFor({ timeout: 120_000 })
  if (await failed.count()) {
    await failed.getByRole('button').first().click()
    await done.waitFor({ timeout: 120_000 })
  }
  assert.ok(Math.min(...begins.slice(before)) >= 40 * MIB, `what was stored was sent again: ${begins.slice(before, before + 3)}`)
  assert.equal(await stored('/large.bin'), await digest(path))
})

test('60 MiB, through a reload of the page', { timeout: 180_000 }, async () => {
  const path = large('again.bin', 60)
  await ana.page.route('**/files/upload/*', async (route) => {
    await new Promise((resolve) => setTimeout(resolve, 200))
    await route.continue()
  })
  let chunks = 0
  ana.page.on('response', (response) => (chunks += response.status() === 308 ? 1 : 0))
  await ana.page.setInputFiles('input[data-role=files]', path)
  while (chunks < 4) await ana.page.waitForTimeout(20)
  ana.page.once('dialog', (dialog) => dialog.accept())
  await ana.page.reload()
  await ana.page.waitForSelector('text=Interrupted')
  const begins = []
  ana.page.on('request', (request) => begins.push(/bytes (\d+)-/.exec(request.headers()['content-range'] ?? '')?.[1] ?? NaN))
  await ana.page.setInputFiles('input[data-role=files]', path)
  await ana.page.locator('li[data-state=done]', { hasText: 'again.bin' }).waitFor({ timeout: 120_000 })
  const first = begins.map(Number).find((begin) => !Number.isNaN(begin))
  assert.ok(first >= 16 * MIB, `it began anew at ${first}`)
  assert.equal(await stored('/again.bin'), await digest(path))
  ana.isContent()
})
