/**
 * A strict JSON scanner that reads byte by byte from a stream (docs/specs/fhir.md#json). It accepts RFC 8259 within I-JSON
 * (RFC 7493): no key twice, no lone surrogates, finite numbers. It builds nothing: a sink is told where values begin and end.
 */
import { textOf } from '#core/encoding/text.ts'
import { refuse } from '#core/fhir/json/refuse.ts'

/** What a reader is ready to take. */
export interface JsonLimits {
  readonly maxBytes: number
  /** Deepest nesting of objects and lists. */
  readonly maxDepth: number
  /** Most values, of all kinds, in all. */
  readonly maxItems: number
}

/** Is told what the scanner sees; positions are offsets in the chunk that is being written. */
export interface JsonSink {
  /** A key; `after` follows its closing quote. */
  key(name: string, after: number): void
  /** A value's first byte; true to be handed a string's characters by `text` and `unit`. */
  begin(kind: JsonKind, at: number): boolean
  /** After a value's last byte. */
  end(kind: JsonKind, at: number): void
  /** A run of a string's bytes that hold no escape. */
  text(chunk: Uint8Array, from: number, to: number): void
  /** One UTF-16 unit that was written as an escape. */
  unit(code: number): void
}

/** What kind of value begins. */
export type JsonKind = 'object' | 'list' | 'string' | 'other'

/** Takes bytes in order. */
export interface JsonScanner {
  write(chunk: Uint8Array): void
  /** Ends the input; `many` tells whether several values, each on lines of its own, were welcome. */
  end(): void
  /** Claims a key of the object being read, as if it had stood there; false if it stood there already. */
  claimKey(name: string): boolean
}

const VALUE = 0
const VALUE_OR_END = 1
const KEY = 2
const KEY_OR_END = 3
const COLON = 4
const AFTER = 5
const STRING = 6
const NUMBER = 7
const LITERAL = 8

const QUOTE = 0x22
const BACKSLASH = 0x5c
const MAX_KEY_BYTES = 256
const MAX_NUMBER_BYTES = 64
const NUMBER_FORM = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/
const ESCAPES: Readonly<Record<string, number>> = { b: 8, f: 12, n: 10, r: 13, t: 9, '"': QUOTE, '/': 0x2f, '\\': 0x5c }
/** Keys that reach a prototype when a careless program copies an object. No FHIR element is named so. */
const FORBIDDEN_KEYS: readonly string[] = ['__proto__', 'constructor', 'prototype']

/**
 * Makes a scanner for one value, or, with `many`, for values that are separated by line ends (NDJSON).
 *
 * @throws SalusError (from its methods) `JSON_OVERSIZE`, `JSON_DEPTH`, `JSON_ITEMS`, `JSON_MALFORMED`, `JSON_TRUNCATED`,
 * `JSON_TRAILING`, `JSON_DUPLICATE_KEY`, `JSON_KEY`, `JSON_NUMBER`, `JSON_SURROGATE`
 */
export function createJsonScanner(
  { maxBytes, maxDepth, maxItems }: JsonLimits,
  sink: JsonSink,
  many = false
): JsonScanner {
  /** Of each open object its keys, null for a list. */
  const open: (Set<string> | null)[] = []
  let state = VALUE
  let bytes = 0
  let items = 0
  let isKey = false
  let listens = false
  /** Raw bytes of the key, number or literal being read. */
  let raw: number[] = []
  let hasEscape = false
  /** -1: no escape; 0: after the backslash; 1 to 4: hexadecimal digits to come. */
  let escape = -1
  let unit = 0
  let isHigh = false
  /** Between top-level values: whether one was read, and whether its line has ended. */
  let isDone = false
  let lineEnded = true

  const begin = (kind: JsonKind, at: number): void => {
    if (++items > maxItems) refuse('JSON_ITEMS', 'it holds more values than are taken')
    if (open.length === 0) {
      if (isDone && !(many && lineEnded)) refuse('JSON_TRAILING', 'something follows after its value')
      lineEnded = false
    }
    listens = sink.begin(kind, at)
  }
  const end = (kind: JsonKind, at: number): void => {
    isDone ||= open.length === 0
    state = open.length === 0 ? VALUE : AFTER
    sink.end(kind, at)
  }
  const enter = (keys: Set<string> | null, at: number): void => {
    begin(keys == null ? 'list' : 'object', at)
    if (open.length >= maxDepth) refuse('JSON_DEPTH', 'it is nested too deeply')
    open.push(keys)
    state = keys == null ? VALUE_OR_END : KEY_OR_END
  }
  const leave = (isObject: boolean, at: number): void => {
    const keys = open.pop()
    if (keys === undefined || (keys != null) !== isObject) refuse('JSON_MALFORMED', 'its brackets do not match')
    end(isObject ? 'object' : 'list', at + 1)
  }

  const beginString = (at: number): void => {
    state = STRING
    raw = []
    hasEscape = false
    if (!isKey) begin('string', at)
  }
  const endString = (at: number): void => {
    if (isHigh) refuse('JSON_SURROGATE', 'it holds half a character')
    if (!isKey) {
      end('string', at + 1)
      return
    }
    isKey = false
    state = COLON
    const name = keyOf(raw, hasEscape)
    if (FORBIDDEN_KEYS.includes(name)) refuse('JSON_KEY', 'it holds a key that no resource has')
    if (!claimKey(name)) refuse('JSON_DUPLICATE_KEY', 'an object in it holds a key twice')
    sink.key(name, at + 1)
  }
  const claimKey = (name: string): boolean => {
    const keys = open.at(-1)
    if (keys == null || keys.has(name)) return false
    keys.add(name)
    return true
  }

  /** Reads on in a string from `i`; returns where to go on. */
  const readString = (chunk: Uint8Array, i: number): number => {
    if (escape >= 0) return readEscape(chunk, i)
    let to = i
    let code = 0
    for (; to < chunk.length; to++) {
      code = chunk[to] ?? 0
      if (code === QUOTE || code === BACKSLASH || code < 0x20) break
    }
    if (to > i) {
      if (isHigh) refuse('JSON_SURROGATE', 'it holds half a character')
      if (isKey) keep(chunk, i, to, MAX_KEY_BYTES)
      else if (listens) sink.text(chunk, i, to)
    }
    if (to === chunk.length) return to
    if (code < 0x20) refuse('JSON_MALFORMED', 'a text in it holds a control character')
    if (code === BACKSLASH) {
      escape = 0
      hasEscape = true
      if (isKey) keep(chunk, to, to + 1, MAX_KEY_BYTES)
    } else endString(to)
    return to + 1
  }
  const readEscape = (chunk: Uint8Array, i: number): number => {
    const letter = String.fromCharCode(chunk[i] ?? 0)
    if (isKey) keep(chunk, i, i + 1, MAX_KEY_BYTES)
    if (escape === 0 && letter === 'u') {
      escape = 4
      unit = 0
      return i + 1
    }
    if (escape === 0) {
      const code = ESCAPES[letter]
      if (code == null) refuse('JSON_MALFORMED', 'a text in it holds an unknown escape')
      putUnit(code)
    } else {
      if (!/[0-9a-fA-F]/.test(letter)) refuse('JSON_MALFORMED', 'a text in it holds an unknown escape')
      unit = 16 * unit + Number.parseInt(letter, 16)
      if (--escape === 0) putUnit(unit)
    }
    return i + 1
  }
  const putUnit = (code: number): void => {
    const isLow = code >= 0xdc00 && code < 0xe000
    if (isLow !== isHigh) refuse('JSON_SURROGATE', 'it holds half a character')
    isHigh = code >= 0xd800 && code < 0xdc00
    escape = -1
    if (listens && !isKey) sink.unit(code)
  }
  const keep = (chunk: Uint8Array, from: number, to: number, most: number): void => {
    if (raw.length + to - from > most) refuse('JSON_MALFORMED', 'a key or number in it is too long')
    for (let i = from; i < to; i++) raw.push(chunk[i] ?? 0)
  }

  /** Reads on in a number or literal; returns where to go on. */
  const readWord = (chunk: Uint8Array, i: number): number => {
    let to = i
    while (to < chunk.length && isWordCode(chunk[to] ?? 0)) to++
    keep(chunk, i, to, MAX_NUMBER_BYTES)
    if (to < chunk.length) endWord(to)
    return to
  }
  const endWord = (at: number): void => {
    const word = String.fromCharCode(...raw)
    if (state === NUMBER) {
      if (!NUMBER_FORM.test(word)) refuse('JSON_MALFORMED', 'it holds a number that JSON does not know')
      if (!Number.isFinite(Number(word))) refuse('JSON_NUMBER', 'it holds a number that is too large')
    } else if (word !== 'true' && word !== 'false' && word !== 'null') {
      refuse('JSON_MALFORMED', 'it holds a word that JSON does not know')
    }
    end('other', at)
  }

  /** Reads one byte outside of strings and words; returns where to go on. */
  const readStructure = (chunk: Uint8Array, i: number): number => {
    const code = chunk[i] ?? 0
    if (code === 0x20 || code === 0x09 || code === 0x0a || code === 0x0d) {
      if (code === 0x0a && open.length === 0) lineEnded = true
      return i + 1
    }
    if (state === COLON) {
      if (code !== 0x3a) refuse('JSON_MALFORMED', 'a key in it has no value')
      state = VALUE
    } else if (state === AFTER) readAfter(code, i)
    else if (state === KEY || state === KEY_OR_END) {
      if (code === QUOTE) {
        isKey = true
        beginString(i)
      } else if (code === 0x7d && state === KEY_OR_END) leave(true, i)
      else refuse('JSON_MALFORMED', 'a key is missing in it')
    } else return readValue(code, i)
    return i + 1
  }
  const readAfter = (code: number, i: number): void => {
    if (code === 0x2c) state = open.at(-1) == null ? VALUE : KEY
    else if (code === 0x7d || code === 0x5d) leave(code === 0x7d, i)
    else refuse('JSON_MALFORMED', 'a comma or bracket is missing in it')
  }
  const readValue = (code: number, i: number): number => {
    if (code === QUOTE) beginString(i)
    else if (code === 0x7b) enter(new Set(), i)
    else if (code === 0x5b) enter(null, i)
    else if (code === 0x5d && state === VALUE_OR_END) leave(false, i)
    else if (isWordCode(code)) {
      begin('other', i)
      state = code === 0x2d || (code >= 0x30 && code <= 0x39) ? NUMBER : LITERAL
      raw = []
      return i
    } else refuse('JSON_MALFORMED', 'a value is missing in it')
    return i + 1
  }

  const write = (chunk: Uint8Array): void => {
    bytes += chunk.length
    if (bytes > maxBytes) refuse('JSON_OVERSIZE', 'it is larger than is taken')
    let i = 0
    while (i < chunk.length) {
      if (state === STRING) i = readString(chunk, i)
      else if (state === NUMBER || state === LITERAL) i = readWord(chunk, i)
      else i = readStructure(chunk, i)
    }
  }
  const finish = (): void => {
    if (state === NUMBER || state === LITERAL) endWord(0)
    if (open.length > 0 || state !== VALUE || (!isDone && !many)) refuse('JSON_TRUNCATED', 'it ends too early')
  }
  return { write, end: finish, claimKey }
}

function isWordCode(code: number): boolean {
  return (
    (code >= 0x61 && code <= 0x7a) ||
    (code >= 0x30 && code <= 0x39) ||
    code === 0x2d ||
    code === 0x2b ||
    code === 0x2e ||
    code === 0x45
  )
}

function keyOf(raw: readonly number[], hasEscape: boolean): string {
  if (!hasEscape && raw.every(code => code < 0x80)) return String.fromCharCode(...raw)
  const text = textOf(Uint8Array.from(raw)) ?? refuse('JSON_MALFORMED', 'it is not UTF-8')
  return JSON.parse(`"${text}"`) as string
}
