/** Reads events whose fields all have a fixed size: each is one word of 32 bytes, in a topic or in the data. */
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
  /** Of its word, how many of the last half-bytes count; the others must be nought. */
  readonly digits: number
  readonly isNumber: boolean
}

const TYPES = /^(?:(bytes32)|(address)|uint(\d+))$/

/** A reader; `undefined` where a field has another type. It throws an Error for a log that no such event makes. */
export function createStaticReader(inputs: readonly ParamType[]): ((log: Words) => EventFields) | undefined {
  const fields: Field[] = []
  let [topics, words] = [1, 0]
  for (const { name, type, indexed } of inputs) {
    const [found, isBytes, isAddress, bits] = TYPES.exec(type) ?? []
    if (found == null) return undefined
    const digits = isBytes != null ? 64 : isAddress != null ? 40 : Number(bits) / 4
    const isIndexed = indexed === true
    fields.push({ name, at: isIndexed ? topics++ : words++, isIndexed, digits, isNumber: bits != null })
  }
  return ({ topics: given, data }) => {
    if (given.length !== topics || data.length !== 2 + 64 * words) throw new TypeError('not the size of the event')
    const values: Record<string, unknown> = {}
    for (const { name, at, isIndexed, digits, isNumber } of fields) {
      const word = isIndexed ? (given[at] ?? '').slice(2) : data.slice(2 + 64 * at, 66 + 64 * at)
      if (digits < 64 && !isNought(word, 64 - digits)) throw new TypeError('more than fits into the field')
      const text = `0x${word.slice(64 - digits)}`
      values[name] = isNumber ? BigInt(text) : text
    }
    return values
  }
}

function isNought(word: string, digits: number): boolean {
  for (let i = 0; i < digits; i++) if (word.charCodeAt(i) !== 48) return false
  return true
}
