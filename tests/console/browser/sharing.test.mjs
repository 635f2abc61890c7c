// Sharing: a link, somebody who has it, and its end.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { stage } from './stage.mjs'

let node, browser, ana
stage((set) => ({ node, browser, ana } = set))

test('a folder with a password, seen and changed by a visitor, until it is taken back', async () => {
  await ana.page.click('text=New folder')
  await ana.page.keyboard.type('for visitors')
  await ana.page.keyboard.press('Enter')
  await ana.sees('for visitors')
  await ana.page.goto(`${node.web}/drive/for%20visitors`)
  await ana.page.setInputFiles('input[data-role=files]', { name: 'welcome.txt', mimeType: 'text/plain', buffer: Buffer.from('hello') })
  await ana.sees('welcome.txt')
  await ana.page.goto(`${node.web}/drive`)
  await ana.select('for visitors')
  await ana.page.click('[role=toolbar] >> text=Share')
  await ana.page.check('dialog input[value=edit]')
  await ana.page.fill('dialog input[type=password]', 'clay')
  await ana.page.click('dialog >> text=Create link')
  const address = await ana.page.inputValue('dialog li input')
  await ana.checkAccessibility('the dialog')

  const visitor = await browser.person({ viewport: { width: 390, height: 800 } })
  await visitor.page.goto(address)
  await visitor.page.fill('input[type=password]', 'porcelain')
  await visitor.page.click('button >> text=Open')
  await visitor.page.waitForSelector('text=That is not the password')
  await visitor.checkAccessibility('a locked link')
  await visitor.page.fill('input[type=password]', 'clay')
  await visitor.page.click('button >> text=Open')
  await visitor.sees('welcome.txt')
  await visitor.checkAccessibility('a link')
  await visitor.page.getByText('welcome.txt', { exact: true }).first().click()
  assert.equal(await visitor.page.textContent('pre'), 'hello')
  await visitor.page.keyboard.press('Escape')
  await visitor.page.setInputFiles('input[type=file]', { name: 'thanks.txt', mimeType: 'text/plain', buffer: Buffer.from('thank you') })
  await visitor.sees('thanks.txt')
  for (const room of ['drive', 'shared']) {
    await visitor.page.goto(`${node.web}/${room}`)
    await visitor.page.waitForSelector('input[name=username]')
  }

  await ana.page.goto(`${node.web}/shared`)
  await ana.page.click('text=Revoke')
  await ana.page.waitForSelector('text=You share nothing by link')
  await visitor.page.goto(address)
  await visitor.page.waitForSelector('text=This link does not work')
  await ana.page.goto(`${node.web}/drive/for%20visitors`)
  await ana.sees('thanks.txt')
  ana.isContent()
  visitor.isContent()
})
