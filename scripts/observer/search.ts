/** The whole search of docs/privacy.md on one chain. */
import type { JsonRpcProvider } from 'ethers'
import { PROXY } from '#scripts/deploy/create2.ts'
import type { Decoder } from '#scripts/observer/calls.ts'
import type { Declared } from '#scripts/observer/declared.ts'
import { findEnvelopeLinks } from '#scripts/observer/envelope.ts'
import { findPlainFields } from '#scripts/observer/fields.ts'
import { findNeedles, type Finding } from '#scripts/observer/find.ts'
import { findGuesses, type Guesses } from '#scripts/observer/guesses.ts'
import { findLinks } from '#scripts/observer/links.ts'
import type { Needle } from '#scripts/observer/needles.ts'
import { observe, type SeenTransaction } from '#scripts/observer/observe.ts'

/** One pseudonym, and the transactions about it. */
export interface Side {
  readonly name: string
  readonly seen: readonly SeenTransaction[]
}

/** What two pseudonyms of one patient have in common beyond what is declared. */
export interface Link {
  readonly between: readonly [string, string]
  /** Bytes in hexadecimal, or in words what else. */
  readonly shared: string
}

/** What is looked for, and what may be there. */
export interface Wanted {
  readonly needles: readonly Needle[]
  readonly guesses: Guesses
  readonly sides: readonly Side[]
  readonly declared: Declared
  readonly decode: Decoder
}

/** What the search found. */
export interface Report {
  readonly transactions: number
  readonly findings: readonly Finding[]
  readonly links: readonly Link[]
}

/** Reads all transactions of the chain but those that deploy: their calldata is the published code. */
export async function readTransactions(
  provider: JsonRpcProvider,
  { fromBlock = 0, withStorage = true }: { readonly fromBlock?: number; readonly withStorage?: boolean } = {}
): Promise<SeenTransaction[]> {
  const transactions: SeenTransaction[] = []
  for await (const each of observe(provider, { fromBlock, withStorage, toBlock: await provider.getBlockNumber() })) {
    if (each.to == null || each.to === PROXY) continue
    transactions.push(each)
  }
  return transactions
}

/** Looks for secrets, for what is no digest where one should be, and for what pseudonyms share. */
export function search(all: readonly SeenTransaction[], wanted: Wanted): Report {
  const { needles, guesses, sides, declared, decode } = wanted
  const pairs = sides.flatMap((a, index) => sides.slice(index + 1).map(b => [a, b] as const))
  const own = new Set(sides.flatMap(({ seen }) => seen.map(({ hash }) => hash)))
  const around = { decode, all, own, known: new Set(declared.addresses) }
  return {
    transactions: all.length,
    findings: all.flatMap(each => [
      ...findNeedles(each, needles),
      ...findGuesses(each, guesses),
      ...findPlainFields(each, decode, declared.plainFields)
    ]),
    links: pairs.flatMap(([a, b]) => {
      const shared = [...findLinks(a.seen, b.seen, declared.bytes), ...findEnvelopeLinks(a.seen, b.seen, around)]
      return shared.map(each => ({ between: [a.name, b.name] as const, shared: each }))
    })
  }
}

/** The transactions that show one of these ids: a pseudonym's, or those of its grants if their use is to be told as well. */
export function about(all: readonly SeenTransaction[], ids: readonly Uint8Array[]): SeenTransaction[] {
  return all.filter(({ parts }) =>
    parts.some(({ bytes }) => ids.some(id => Buffer.from(bytes).includes(Buffer.from(id))))
  )
}
