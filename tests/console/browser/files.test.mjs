// Files: what one does with them every day.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { user } from './node.mjs'
import { stage } from './stage.mjs'

let node, browser, ana
stage((set) => ({ node, browser, ana } = set))

const file = (name, text) => ({ name, mimeType: 'text/plain', buffer: Buffer.from(text) })
const give = (...files) => ana.page.setInputFiles('input[data-role=files]', files)

test('a new version, and the old one again', async () => {
  await give(file('note.txt', 'first'))
  await ana.sees('note.txt')
  await give(file('note.txt', 'second'))
  await ana.page.click('dialog >> text=New version')
  await ana.page.waitForSelector('dialog', { state: 'detached' })
  await ana.select('note.txt')
  await ana.page.click('[role=toolbar] >> text=Versions')
  await ana.page.locator('dialog li').nth(1).waitFor()
  await ana.checkAccessibility('versions')
  await ana.page.click('dialog >> text=Restore')
  await ana.page.locator('dialog li').nth(2).waitFor()
  await ana.page.keyboard.press('Escape')
  await ana.page.getByText('note.txt', { exact: true }).first().click()
  assert.equal(await ana.page.textContent('pre'), 'first')
  await ana.checkAccessibility('preview')
  await ana.page.keyboard.press('Escape')
})

test('renamed, thrown away, and taken back, by keys', async () => {
  await give(file('draft.txt', 'of a letter'))
  await ana.sees('draft.txt')
  await ana.page.keyboard.press('Escape')
  await ana.page.reload()
  await ana.sees('draft.txt')
  await ana.select('draft.txt')
  await ana.presses('F2')
  await ana.page.fill('dialog input', 'letter.txt')
  await ana.page.keyboard.press('Enter')
  await ana.sees('letter.txt')
  await ana.page.reload()
  await ana.sees('letter.txt')
  await ana.select('letter.txt')
  await ana.presses('Delete')
  await ana.row('letter.txt').waitFor({ state: 'detached' })
  await ana.page.click('text=Undo')
  await ana.sees('letter.txt')
})

test('what another tab does is seen at once', async () => {
  const other = await ana.context.newPage()
  await other.goto(`${node.web}/drive`)
  await other.click('text=New folder')
  await other.keyboard.type('From another tab')
  await other.keyboard.press('Enter')
  await ana.page.bringToFront()
  await ana.sees('From another tab')
  await other.close()
})

test('no stored script runs', async () => {
  const hostile = '<title>still</title><p>read</p><script>document.title = "run"</script><img src=x onerror="document.title = 1">'
  await give({ name: 'page.html', mimeType: 'text/html', buffer: Buffer.from(hostile) })
  await ana.sees('page.html')
  const other = await ana.context.newPage()
  await other.goto(`${node.web}/files/download?path=/page.html&inline=1`)
  await other.waitForSelector('text=read')
  assert.equal(await other.title(), 'still')
  await other.close()
})

for (const options of [{}, { colorScheme: 'dark' }, { viewport: { width: 390, height: 800 }, hasTouch: true, isMobile: true }]) {
  test(`every page is accessible ${JSON.stringify(options)}`, async () => {
    const person = await browser.person(options)
    await person.signIn(node, user)
    for (const at of ['drive', 'shared', 'trash', 'devices', 'connect', 'search?q=note', 'docs']) {
      await person.page.goto(`${node.web}/${at}`)
      await person.page.waitForSelector('h1, [role=grid]')
      // What fades in has its colours a moment later.
      await person.page.waitForTimeout(500)
      await person.checkAccessibility(at)
    }
    person.isContent()
    await person.context.close()
  })
}

test('the page complained of nothing', () => ana.isContent())
