import { openDecoder } from '#scripts/observer/calls.ts'
import { readDeclared } from '#scripts/observer/declared.ts'
import { guessableDigests } from '#scripts/observer/guesses.ts'
import { needlesOf } from '#scripts/observer/needles.ts'
import { readTransactions, search, type Report } from '#scripts/observer/search.ts'
import type { AnvilBackend } from '#test/contracts/backends/anvil.ts'
import type { TestChain } from '#test/contracts/chain.ts'
import { SECRETS } from '#test/scripts/observer/secrets.ts'
import type { Story } from '#test/scripts/observer/story.ts'

const NEEDLES = needlesOf(SECRETS)
const GUESSES = guessableDigests()

/** Who an observer is, who knows all that the patient wants to hide. */
export interface Watcher {
  readonly backend: AnvilBackend
  readonly chain: TestChain
}

/** Searches what the chain shows since a block. */
export async function watch({ backend, chain }: Watcher, story: Story, fromBlock = 0): Promise<Report> {
  const all = await readTransactions(backend.provider, { fromBlock })
  const declared = await readDeclared({
    deployment: chain.deployment,
    relayers: [await backend.signer.getAddress()],
    grantees: [story.sharedGrantee],
    staff: story.staff,
    passkeySite: 'salus.example'
  })
  return search(all, {
    needles: NEEDLES,
    guesses: GUESSES,
    sides: story.relationships.map(({ hashes }, number) => ({
      name: `relationship ${String(number)}`,
      seen: all.filter(({ hash }) => hashes.includes(hash))
    })),
    declared,
    decode: await openDecoder(chain.deployment)
  })
}
