// Many: a folder with more entries than a page could draw.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { program } from './program.mjs'
import { stage } from './stage.mjs'

const COUNT = 50_000
const BATCH = 1000
const LANES = 4
const ROWS_MAX = 60

let node, browser, ana
stage((set) => ({ node, browser, ana } = set))

const name = (number) => `folder ${String(number).padStart(5, '0')}`
const counts = (entries) => ana.page.waitForSelector(`[role=grid][aria-rowcount="${entries + 1}"]`)
const drawn = () => ana.page.locator('[role=grid] [role=row]').count()

async function fill(post) {
  const lane = async (first) => {
    for (let at = first; at < COUNT; at += LANES * BATCH) {
      const paths = Array.from({ length: BATCH }, (_, step) => `/many/${name(at + step)}`)
      assert.equal((await post('/2/files/create_folder_batch', { paths })).status(), 200)
    }
  }
  await Promise.all(Array.from({ length: LANES }, (_, number) => lane(number * BATCH)))
}

test('fifty thousand entries are there, and only those in sight are drawn', async () => {
  const post = await program(browser, node, 'filler')
  await fill(post)
  await ana.page.goto(`${node.web}/drive/many`)
  await counts(COUNT)
  await ana.sees(name(0))
  assert.ok((await drawn()) < ROWS_MAX)
  await ana.presses('End')
  await ana.sees(name(COUNT - 1))
  await ana.page.locator('[role=rowgroup]').evaluate((body) => (body.scrollTop = body.scrollHeight / 2))
  await ana.sees(name(COUNT / 2))
  assert.ok((await drawn()) < ROWS_MAX)
  await ana.checkAccessibility('a long folder')
  // What happens far away from what is in sight.
  assert.equal((await post('/files/delete', { path: `/many/${name(3)}` })).status(), 200)
  await counts(COUNT - 1)
  await ana.presses('Home', 'ArrowDown', 'ArrowDown', 'ArrowDown', 'F2')
  await ana.page.fill('dialog input', 'zzz the last')
  await ana.page.keyboard.press('Enter')
  await ana.row(name(4)).waitFor({ state: 'detached' })
  await ana.presses('End')
  await ana.sees('zzz the last')
})

test('the page complained of nothing', () => ana.isContent())
