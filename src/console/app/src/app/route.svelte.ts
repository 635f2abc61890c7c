// Route: which page the address names. The address is the only memory of where the person is.
export type Route =
  | { page: 'drive'; path: string }
  | { page: 'search'; query: string }
  | { page: 'trash' | 'shared' | 'devices' | 'connect' }
  | { page: 'share'; token: string }

export function routeOf(pathname: string, search: string): Route {
  const [, first = '', ...rest] = pathname.split('/').map(decoded)
  switch (first) {
    case 'search':
      return { page: 'search', query: new URLSearchParams(search).get('q') ?? '' }
    case 'trash':
    case 'shared':
    case 'devices':
    case 'connect':
      return { page: first }
    case 's':
      return { page: 'share', token: rest[0] ?? '' }
    default:
      return { page: 'drive', path: rest.filter(Boolean).map((name) => `/${name}`).join('') }
  }
}

/** The folder's path begins with a slash; the root's is empty. */
export function driveAddress(path: string): string {
  return `/drive${path.split('/').map(encodeURIComponent).join('/')}`
}

export function searchAddress(query: string): string {
  return `/search?q=${encodeURIComponent(query)}`
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}

class Router {
  route = $state.raw<Route>(this.#read())

  constructor() {
    addEventListener('popstate', () => (this.route = this.#read()))
  }

  go(address: string, options: { replace?: boolean } = {}): void {
    history[options.replace ? 'replaceState' : 'pushState'](null, '', address)
    this.route = this.#read()
  }

  /** For `onclick` of a link: plain clicks stay in the page, others are the browser's. */
  follow = (event: MouseEvent): void => {
    const link = (event.currentTarget as Element).closest('a')
    if (!link || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return
    event.preventDefault()
    this.go(link.pathname + link.search)
  }

  #read(): Route {
    return routeOf(location.pathname, location.search)
  }
}

export const router = new Router()
