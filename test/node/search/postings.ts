import { randomBytes } from 'node:crypto'
import type { CID } from 'multiformats/cid'
import { compartmentTag, nextGeneration } from '#core/record/generation.ts'
import { createBlindPostings, type BlindIndex } from '#core/search/blind-index.ts'
import { blindIndexKey } from '#core/search/blind-list.ts'
import type { BlindTerm } from '#core/search/blind-terms.ts'
import { nativePrimitives as p } from '#node/crypto/native.ts'
import { osRandom, type DemoClinician, type DemoPatient } from '#scripts/story/people.ts'

/** A patient's blind index of vitals, as its agent would keep it. */
export interface Postings {
  readonly index: BlindIndex
  readonly author: Uint8Array
  add(term: BlindTerm, name: CID): void
  seal(): Uint8Array[]
}

/** Makes postings, signed by the patient or by somebody else; of nobody in particular if neither is given. */
export function createAgentlessPostings(patient?: DemoPatient, signer?: DemoClinician): Postings {
  const generation = patient?.state.generations.vitals.at(-1) ?? nextGeneration(osRandom)
  const seed = new Uint8Array(randomBytes(32))
  const keys = (signer ?? patient)?.keys
  const author = keys?.bundle.sign ?? p.ed25519PublicKey(seed)
  const place = {
    network: patient?.state.network ?? osRandom(32),
    patient: patient?.state.patient ?? osRandom(32),
    tag: compartmentTag(p, generation.key, 'vitals'),
    generation: generation.number
  }
  const index = { place, key: blindIndexKey(p, generation.key, 'vitals') }
  const postings = createBlindPostings(index)
  const by = { signSeed: keys?.signSeed ?? seed, bundle: { sign: author } } as Parameters<typeof postings.seal>[2]
  return { index, author, add: (term, name) => postings.add(term, name), seal: () => postings.seal(p, osRandom, by) }
}
