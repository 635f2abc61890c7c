// Going back: a folder as it was at a time, and a program that deletes everything and is held.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { program } from './program.mjs'
import { stage } from './stage.mjs'

let node, browser, ana
stage((set) => ({ node, browser, ana } = set))

const give = (name, text) => ana.page.setInputFiles('input[data-role=files]', { name, mimeType: 'text/plain', buffer: Buffer.from(text) })

async function remove(name) {
  await ana.select(name)
  await ana.page.click('[role=toolbar] >> text=Delete')
  await ana.row(name).waitFor({ state: 'detached' })
}

test('a drive as it was at a time, looked at before', async () => {
  await give('of then.txt', 'then')
  await ana.sees('of then.txt')
  // The field has seconds: this one began after the file came.
  await sleep(1100)
  const then = await ana.page.evaluate(() => new Date(Date.now() - new Date().getTimezoneOffset() * 60_000).toISOString().slice(0, 19))
  await remove('of then.txt')
  await give('of now.txt', 'now')
  await ana.sees('of now.txt')

  await ana.page.click('text=Rewind to …')
  await ana.page.fill('dialog input', then)
  await ana.page.click('dialog >> text=See what would change')
  await ana.page.waitForSelector('dialog li[data-count=removed] >> text=1 entry was not there')
  assert.match(await ana.page.textContent('dialog li[data-count=restored]'), /^1 entry comes out of the trash/)
  await ana.checkAccessibility('rewind')
  await ana.page.click('dialog button >> text=/^Rewind$/')
  await ana.sees('of then.txt')
  await ana.row('of now.txt').waitFor({ state: 'detached' })

  // It came back as it had gone: chosen.
  await ana.select('of then.txt')
  await ana.page.click('text=Rewind to …')
  await ana.page.fill('dialog input', then)
  await ana.page.click('dialog >> text=See what would change')
  await ana.page.waitForSelector('dialog >> text=Nothing would change')
  await ana.page.fill('dialog input', '2001-01-01T00:00:00')
  await ana.page.click('dialog >> text=See what would change')
  await ana.page.waitForSelector('text=not known of so long ago')
  await ana.page.keyboard.press('Escape')
})

/** Until it is refused. */
async function deleteAll(call) {
  for (let number = 0; number < 27; number++) {
    const status = await call('delete', { path: `/sync/${number}` })
    if (status !== 200) return status
  }
  return 200
}

test('a program that deletes most of it is held, undone, and allowed', async () => {
  const post = await program(browser, node, 'old laptop')
  const call = async (operation, data) => (await post(`/files/${operation}`, data)).status()
  for (let number = 0; number < 50; number++) assert.equal(await call('create_folder', { path: `/sync/0/${number}` }), 200)
  for (let number = 1; number < 27; number++) assert.equal(await call('copy', { from: '/sync/0', to: `/sync/${number}` }), 200)
  assert.equal(await deleteAll(call), 409)
  await ana.page.reload()
  await ana.page.waitForSelector('text=“old laptop” deleted 1,071 of')
  await ana.checkAccessibility('a held device')
  await ana.page.click('text=Undo its deletions')
  await ana.page.waitForSelector('text=1,020 entries are back')
  await ana.page.waitForSelector('text=“old laptop” deleted', { state: 'detached' })

  assert.equal(await deleteAll(call), 409)
  // The page looks by itself.
  await ana.page.waitForSelector('text=“old laptop” deleted')
  await ana.page.click('text=Allow it')
  await ana.page.waitForSelector('text=“old laptop” deleted', { state: 'detached' })
  assert.equal(await call('delete', { path: '/sync' }), 200)
})

test('the page complained of nothing', () => ana.isContent())
