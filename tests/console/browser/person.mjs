// Person: somebody at a browser. What the page complains of to nobody fails the test.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'

const modules = createRequire(join(process.env.ONGGI_BROWSER_MODULES, 'package.json'))
const { chromium } = modules('playwright-core')
const axe = readFileSync(modules.resolve('axe-core/axe.min.js'), 'utf8')
const PATIENCE_MS = 30_000

export class Browser {
  static async start() {
    const browser = new Browser()
    browser.process = await chromium.launch({ executablePath: process.env.ONGGI_BROWSER, args: ['--no-sandbox'] })
    return browser
  }

  /** With a cookie jar of their own. */
  async person(options = {}) {
    const context = await this.process.newContext({ ignoreHTTPSErrors: true, viewport: { width: 1280, height: 800 }, ...options })
    context.setDefaultTimeout(PATIENCE_MS)
    return Person.at(context)
  }

  end() {
    return this.process.close()
  }
}

export class Person {
  complaints = []

  static async at(context) {
    const person = new Person()
    person.context = context
    person.page = await context.newPage()
    person.page.on('pageerror', (error) => person.complaints.push(error.message))
    // Refusals are answers; everything else in the console is ours.
    person.page.on('console', (line) => line.type() === 'error' && !line.text().startsWith('Failed to load resource') && person.complaints.push(line.text()))
    return person
  }

  async signIn(node, { name, password }) {
    await this.page.goto(`${node.web}/drive`)
    await this.page.fill('input[name=username]', name)
    await this.page.fill('input[name=password]', password)
    await this.page.click('button[type=submit]')
    await this.page.waitForSelector('[role=grid]')
  }

  row(name) {
    return this.page.locator('[role=row]', { has: this.page.getByText(name, { exact: true }) })
  }

  sees(name) {
    return this.row(name).waitFor()
  }

  async select(name) {
    await this.row(name).locator('.tick').click()
  }

  async presses(...keys) {
    await this.page.focus('[role=grid]')
    for (const key of keys) await this.page.keyboard.press(key)
  }

  /** WCAG 2.2 A and AA, as far as a machine can tell. */
  async checkAccessibility(where) {
    const { violations } = await this.page.evaluate(`${axe};axe.run(document, { resultTypes: ['violations'] })`)
    assert.deepEqual(violations.map(({ id, help, nodes }) => `${where}: ${id}: ${help}: ${nodes[0].html}`), [])
  }

  isContent() {
    assert.deepEqual(this.complaints, [])
  }
}
