// Words: finds a text of the table and fills its holes. All that people read comes from here.
import { en } from './en'

export type Word = keyof typeof en
export type Holes = Record<string, string | number>

const language = navigator.language || 'en'

/** `{name}` is a hole. A table may have `word_one` beside `word`, taken when the hole `count` is one. */
export function t(word: Word, holes: Holes = {}): string {
  const one = `${word}_one`
  const text: string = holes.count === 1 && one in en ? en[one as Word] : en[word]
  return text.replace(/\{(\w+)\}/g, (_, name: string) => shown(holes[name]))
}

function shown(value: string | number | undefined): string {
  return typeof value === 'number' ? value.toLocaleString(language) : (value ?? '')
}

const byteUnits = ['B', 'kB', 'MB', 'GB', 'TB', 'PB']

export function bytes(count: number): string {
  const unit = count < 1000 ? 0 : Math.min(Math.floor(Math.log10(count) / 3), byteUnits.length - 1)
  const value = count / 1000 ** unit
  return `${value.toLocaleString(language, { maximumFractionDigits: value < 10 && unit > 0 ? 1 : 0 })} ${byteUnits[unit]}`
}

const dayAndTime = new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeStyle: 'short' })
const timeOnly = new Intl.DateTimeFormat(language, { timeStyle: 'short' })
const dayOnly = new Intl.DateTimeFormat(language, { day: 'numeric', month: 'short', year: 'numeric' })

export function dateTime(text: string): string {
  return dayAndTime.format(new Date(text))
}

/** Short, for lists: the time of today, the day of any other. */
export function shortDate(text: string): string {
  const date = new Date(text)
  return (date.toDateString() === new Date().toDateString() ? timeOnly : dayOnly).format(date)
}

const spanUnits: [Word, number][] = [
  ['span_hours', 3600],
  ['span_minutes', 60],
  ['span_seconds', 1],
]

/** A span of time in its largest unit. */
export function span(seconds: number): string {
  const [word, length] = spanUnits.find(([, length]) => seconds >= length) ?? ['span_seconds', 1]
  return t(word as Word, { count: Math.max(1, Math.round(seconds / length)) })
}
