/** Where the parts of a JSON text stand in it: to cut values out as they were written, digits and all. */
import { SalusError } from '#core/error.ts'

/** A part of a text: from `from` (included) to `to` (excluded). */
export interface Slice {
  readonly from: number
  readonly to: number
}

/** A member of an object; `key` is unescaped. */
export interface Member extends Slice {
  readonly key: string
}

const BLANKS = ' \t\n\r'
const ENDS = `${BLANKS},]}`

/**
 * The members of the object that a whole text is.
 *
 * @throws SalusError `ATTRIBUTES_JSON` if the text is not JSON, is no object, has a key twice or one that is not Unicode
 */
export function membersOf(text: string): Member[] {
  const value = parsed(text)
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw refused()
  const members: Member[] = []
  let at = skipBlanks(text, skipBlanks(text, 0) + 1)
  while (text[at] === '"') {
    const keyEnd = skipValue(text, at)
    const key = JSON.parse(text.slice(at, keyEnd)) as string
    const from = skipBlanks(text, skipBlanks(text, keyEnd) + 1)
    const to = skipValue(text, from)
    members.push({ key, from, to })
    at = skipBlanks(text, to)
    if (text[at] === ',') at = skipBlanks(text, at + 1)
  }
  // The platform's parser keeps the last of two: a signature must not depend on that.
  const keys = new Set(members.map(({ key }) => key))
  if (keys.size !== members.length || members.some(({ key }) => !key.isWellFormed())) throw refused()
  return members
}

/** The items of the list that a part of a valid text is; `null` if it is no list. */
export function itemsOf(text: string, { from, to }: Slice): Slice[] | null {
  if (text[from] !== '[') return null
  const items: Slice[] = []
  let at = skipBlanks(text, from + 1)
  while (at < to - 1) {
    const end = skipValue(text, at)
    items.push({ from: at, to: end })
    at = skipBlanks(text, end)
    if (text[at] === ',') at = skipBlanks(text, at + 1)
  }
  return items
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch (cause) {
    throw refused(cause)
  }
}

function skipBlanks(text: string, from: number): number {
  let at = from
  while (at < text.length && BLANKS.includes(text[at] ?? '')) at++
  return at
}

/** The end of the value that begins at `from` in a valid text. */
function skipValue(text: string, from: number): number {
  let depth = 0
  for (let at = from; at < text.length; at++) {
    const char = text[at] ?? ''
    if (char === '"') at = endOfString(text, at) - 1
    else if (char === '{' || char === '[') depth++
    else if (char === '}' || char === ']') depth--
    else if (depth === 0) at = endOfLiteral(text, at) - 1
    if (depth === 0) return at + 1
  }
  throw refused()
}

function endOfString(text: string, from: number): number {
  let at = from + 1
  while (at < text.length && text[at] !== '"') at += text[at] === '\\' ? 2 : 1
  return at + 1
}

function endOfLiteral(text: string, from: number): number {
  let at = from
  while (at < text.length && !ENDS.includes(text[at] ?? '')) at++
  return at
}

function refused(cause?: unknown): SalusError {
  return new SalusError(
    'ATTRIBUTES_JSON',
    'Only a JSON object, or lines of them, with each key once, has attributes.',
    {
      cause
    }
  )
}
