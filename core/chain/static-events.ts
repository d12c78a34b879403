/** Reads events whose fields are single words of 32 bytes, in a topic or in the data, or byte strings: most are, and most logs are theirs. */
import type { ParamType } from 'ethers'

/** Values by the names of an event's fields: byte strings and addresses as hexadecimal, numbers as `bigint`. */
export type EventFields = Readonly<Record<string, unknown>>

/** What is looked at in a log. */
interface Words {
  readonly topics: readonly string[]
  readonly data: string
}

interface Field {
  readonly name: string
  /** Place among the topics, or among the words of the data. */
  readonly at: number
  readonly isIndexed: boolean
  readonly isDynamic: boolean
  /** Of its word, how many of the last half-bytes count; the others must be nought. */
  readonly digits: number
  readonly isNumber: boolean
}

const TYPES = /^(?:(bytes32)|(address)|(bytes)|uint(\d+))$/
/** Half-bytes of a word, and of `0x`. */
const WORD = 64
const MARK = 2

/** A reader; `undefined` where a field has another type. It throws an Error for a log that no such event makes. */
export function createStaticReader(inputs: readonly ParamType[]): ((log: Words) => EventFields) | undefined {
  const fields: Field[] = []
  let [topics, words] = [1, 0]
  for (const { name, type, indexed } of inputs) {
    const [found, isBytes32, isAddress, isBytes, bits] = TYPES.exec(type) ?? []
    const isIndexed = indexed === true
    // Of an indexed byte string only the hash is in the log.
    if (found == null || (isBytes != null && isIndexed)) return undefined
    const digits = bits != null ? Number(bits) / 4 : isAddress != null ? 40 : WORD
    const isDynamic = isBytes != null && isBytes32 == null
    fields.push({ name, at: isIndexed ? topics++ : words++, isIndexed, isDynamic, digits, isNumber: bits != null })
  }
  const isFixed = fields.every(({ isDynamic }) => !isDynamic)
  return ({ topics: given, data }) => {
    const isSize = isFixed ? data.length === MARK + WORD * words : data.length >= MARK + WORD * words
    if (given.length !== topics || !isSize) throw new TypeError('not the size of the event')
    const values: Record<string, unknown> = {}
    for (const { name, at, isIndexed, isDynamic, digits, isNumber } of fields) {
      const word = isIndexed ? (given[at] ?? '').slice(MARK) : wordAt(data, WORD * at)
      if (digits < WORD && !isNought(word, WORD - digits)) throw new TypeError('more than fits into the field')
      const text = isDynamic ? bytesAt(data, word) : `0x${word.slice(WORD - digits)}`
      values[name] = isNumber ? BigInt(text) : text
    }
    return values
  }
}

function wordAt(data: string, at: number): string {
  return data.slice(MARK + at, MARK + at + WORD)
}

/** A byte string: its word says where its length stands, and the bytes come after that. */
function bytesAt(data: string, word: string): string {
  const at = 2 * Number(`0x${word}`)
  const length = 2 * Number(`0x${wordAt(data, at) || '0'}`)
  const from = MARK + at + WORD
  // What is not a small number is larger than any text.
  if (from + length > data.length) throw new TypeError('a byte string beyond the data')
  return `0x${data.slice(from, from + length)}`
}

function isNought(word: string, digits: number): boolean {
  for (let i = 0; i < digits; i++) if (word.charCodeAt(i) !== 48) return false
  return true
}
