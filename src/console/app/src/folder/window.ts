// Window: which rows of a long list are drawn. All rows are of one height, so this is arithmetic.
const SPARE_ROWS = 8

export interface Window {
  from: number
  to: number
}

export function visible(scrollTop: number, height: number, rowHeight: number, count: number): Window {
  const from = Math.max(0, Math.floor(scrollTop / rowHeight) - SPARE_ROWS)
  const to = Math.min(count, Math.ceil((scrollTop + height) / rowHeight) + SPARE_ROWS)
  return { from: Math.min(from, to), to }
}
