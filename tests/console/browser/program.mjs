// Program: a client of ana's that is signed in by itself, beside the browser.
import { user } from './node.mjs'

/** Posts to the API; the answer is Playwright's. */
export async function program(browser, node, device) {
  const { request } = (await browser.person()).context
  const form = { grant_type: 'password', username: user.name, password: user.password, device }
  const { access_token } = await (await request.post(`${node.web}/oauth2/token`, { form })).json()
  return (path, data) => request.post(`${node.web}${path}`, { data, headers: { Authorization: `Bearer ${access_token}` } })
}
