/** Whether two pseudonyms can be tied together by what their transactions have in common. */
import { hexlify } from 'ethers'
import type { SeenTransaction } from '#scripts/observer/observe.ts'

/** Shorter runs are common by chance or by form: selectors, times, lengths. */
const SHORTEST_LINK_BYTES = 12
/** So much of a declared value is not met by chance. */
const SHORTEST_DECLARED_BYTES = 8
/** A run with more zero bytes than this is padding. */
const MOST_ZERO_BYTES = 4

/**
 * The runs of at least 12 bytes that occur in transactions of both sides, wherever they stand.
 *
 * @param declared - what they may share: contracts, the relayer, event topics (docs/privacy.md)
 * @returns each longest run once, in hexadecimal
 */
export function findLinks(
  a: readonly SeenTransaction[],
  b: readonly SeenTransaction[],
  declared: readonly Uint8Array[]
): string[] {
  const known = new Set(
    a.flatMap(transaction => partsOf(transaction).flatMap(bytes => [...windows(bytes)].map(w => w.key)))
  )
  const links = new Set<string>()
  for (const bytes of b.flatMap(partsOf)) {
    let start = -1
    let end = -1
    const close = (): void => {
      if (start >= 0) links.add(hexlify(bytes.subarray(start, end)))
      start = -1
    }
    for (const { key, at } of windows(bytes)) {
      if (!known.has(key)) continue
      if (start >= 0 && at > end) close()
      if (start < 0) start = at
      end = at + SHORTEST_LINK_BYTES
    }
    close()
  }
  return [...links].filter(link => !isDeclared(link, declared)).sort()
}

function partsOf({ parts, from }: SeenTransaction): Uint8Array[] {
  return [...parts.map(({ bytes }) => bytes), Buffer.from(from.slice(2), 'hex')]
}

function* windows(bytes: Uint8Array): Generator<{ readonly key: string; readonly at: number }> {
  for (let at = 0; at + SHORTEST_LINK_BYTES <= bytes.length; at++) {
    const window = bytes.subarray(at, at + SHORTEST_LINK_BYTES)
    const zeros = window.reduce((count, byte) => count + (byte === 0 ? 1 : 0), 0)
    if (zeros <= MOST_ZERO_BYTES) yield { key: Buffer.from(window).toString('latin1'), at }
  }
}

/** A run is declared if no 12 bytes of it that count are left once declared values are cut out. */
function isDeclared(link: string, declared: readonly Uint8Array[]): boolean {
  const bytes = Buffer.from(link.slice(2), 'hex')
  const known = declared.map(value => Buffer.from(value))
  let rest = 0
  for (let at = 0; at < bytes.length;) {
    const length = longestAt(bytes, at, known)
    if (length >= SHORTEST_DECLARED_BYTES) {
      if (counts(bytes.subarray(rest, at))) return false
      at += length
      rest = at
    } else at++
  }
  return !counts(bytes.subarray(rest))
}

/** How many bytes from `at` on are together part of a declared value. */
function longestAt(bytes: Buffer, at: number, known: readonly Buffer[]): number {
  let length = 0
  const grows = (): boolean =>
    at + length < bytes.length && known.some(value => value.includes(bytes.subarray(at, at + length + 1)))
  while (grows()) length++
  return length
}

function counts(bytes: Uint8Array): boolean {
  return !windows(bytes).next().done
}
