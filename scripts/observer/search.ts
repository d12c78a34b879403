/** The whole search of docs/privacy.md on one chain. */
import type { JsonRpcProvider } from 'ethers'
import { PROXY } from '#scripts/deploy/create2.ts'
import { findNeedles, type Finding } from '#scripts/observer/find.ts'
import { findLinks } from '#scripts/observer/links.ts'
import type { Needle } from '#scripts/observer/needles.ts'
import { observe, type SeenTransaction } from '#scripts/observer/observe.ts'

/** One pseudonym: its id, and the ids of its grants if their use is to be told as well. */
export interface Pseudonym {
  readonly name: string
  readonly ids: readonly Uint8Array[]
}

/** What two pseudonyms of one patient have in common beyond what is declared. */
export interface Link {
  readonly between: readonly [string, string]
  /** In hexadecimal. */
  readonly shared: string
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

/** Looks for secrets, and for what pseudonyms share. */
export function search(
  transactions: readonly SeenTransaction[],
  wanted: {
    readonly needles: readonly Needle[]
    readonly pseudonyms: readonly Pseudonym[]
    readonly declared: readonly Uint8Array[]
  }
): Report {
  const { needles, pseudonyms, declared } = wanted
  const sides = pseudonyms.map(({ name, ids }) => ({ name, seen: transactions.filter(each => isAbout(each, ids)) }))
  const links = sides.flatMap((a, index) =>
    sides
      .slice(index + 1)
      .flatMap(b =>
        findLinks(a.seen, b.seen, declared).map(shared => ({ between: [a.name, b.name] as [string, string], shared }))
      )
  )
  return {
    transactions: transactions.length,
    findings: transactions.flatMap(each => findNeedles(each, needles)),
    links
  }
}

function isAbout({ parts }: SeenTransaction, ids: readonly Uint8Array[]): boolean {
  return parts.some(({ bytes }) => ids.some(id => Buffer.from(bytes).includes(Buffer.from(id))))
}
