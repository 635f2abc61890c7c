// Stage: a node, a browser, and ana, who is signed in. It is there for the tests of one file, and ends with them.
import { after, before } from 'node:test'
import { Node, user } from './node.mjs'
import { Browser } from './person.mjs'

export function stage(take) {
  let node, browser

  before(async () => {
    ;[node, browser] = await Promise.all([Node.start(), Browser.start()])
    const ana = await browser.person()
    await ana.signIn(node, user)
    take({ node, browser, ana })
  })

  after(async () => {
    await browser?.end()
    await node?.end()
  })
}
