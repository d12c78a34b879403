/**
 * Blind search at a node (docs/specs/blind-index.md): the patient's agent hands lists in that the node cannot read, and later
 * fetches only the entries that a list names. What a list says is a claim; the entries prove what they are.
 */
import { peerIdFromString } from '@libp2p/peer-id'
import { currentGeneration, type PatientState } from '#core/agent/patient-state.ts'
import { toHex } from '#core/encoding/bytes.ts'
import { SalusError } from '#core/error.ts'
import { signReadRequest } from '#core/grant/read-request.ts'
import { COMPARTMENTS, type Compartment } from '#core/record/compartment.ts'
import { dayOf } from '#core/record/day.ts'
import { compartmentTag } from '#core/record/generation.ts'
import { askBlind, createBlindPostings, type BlindIndex } from '#core/search/blind-index.ts'
import { blindIndexKey, blindTag as makeBlindTag } from '#core/search/blind-list.ts'
import { blindTermsOf, quartersOf, termOfQuestion, UNTAGGED } from '#core/search/blind-terms.ts'
import { secondsOf } from '#agent/components.ts'
import type { AlarmComponents } from '#agent/glass/alarms.ts'
import type { IndexedEntry } from '#agent/record/indexed-entry.ts'
import { createBlindClient } from '#node/http/client-blind.ts'
import { createNodeClient } from '#node/http/client.ts'

/** What is looked for: a type or a code, in some days. */
export interface BlindQuestion {
  readonly type?: string
  /** A LOINC code. */
  readonly code?: string
  readonly compartments?: readonly Compartment[]
  readonly fromDay?: number
  readonly toDay?: number
}

/** Lists go in batches of so many. */
const MAX_LISTS = 64
const YEAR_DAYS = 365
const TIMEOUT_MS = 20_000

/**
 * Hands the lists of the whole record to a node, in place of those that it has.
 *
 * @returns how many
 * @throws SalusError `BLIND_LIST_*`, `READ_*`, `NODE_*`
 */
export async function uploadBlindLists(components: AlarmComponents, url: string): Promise<number> {
  const { p, random, clock, accounts, record } = components
  const { account, keys } = await accounts.patient()
  // A device that was restored knows no revision: time is ahead of all that was counted.
  const revision = secondsOf(clock)
  const lists: Uint8Array[] = []
  const rows = await record.rows()
  for (const compartment of COMPARTMENTS) {
    if (UNTAGGED.includes(compartment)) continue
    const postings = createBlindPostings(indexOf(components, account.state, compartment), revision)
    for (const { cid, row } of rows) {
      if (row.compartment !== compartment) continue
      for (const term of blindTermsOf(row, compartment)) postings.add(term, cid)
    }
    lists.push(...postings.seal(p, random, keys))
  }
  const client = createBlindClient({ url, timeoutMs: TIMEOUT_MS })
  for (let at = 0; at < lists.length; at += MAX_LISTS) {
    await client.put({ authorization: await authorize(components, url), lists: lists.slice(at, at + MAX_LISTS) })
  }
  return lists.length
}

/**
 * Asks a node for entries without telling it of which; only those that its lists name are fetched and opened.
 *
 * @throws SalusError `BLIND_QUESTION` (neither a type nor a code that is ever tagged), `BLIND_LIST_*`, `READ_*`, `NODE_*`
 */
export async function searchBlind(
  components: AlarmComponents,
  url: string,
  question: BlindQuestion
): Promise<readonly IndexedEntry[]> {
  const { p, clock, accounts, record } = components
  const { account, keys } = await accounts.patient()
  const wanted = termOfQuestion(question)
  if (wanted == null) {
    throw new SalusError('BLIND_QUESTION', 'Nodes know only types and common codes; search on this computer instead.')
  }
  const today = dayOf(clock())
  const { compartments = COMPARTMENTS, fromDay = today - YEAR_DAYS, toDay = today } = question
  const client = createBlindClient({ url, timeoutMs: TIMEOUT_MS })
  const names = new Set<string>()
  for (const compartment of compartments.filter(each => !UNTAGGED.includes(each))) {
    const index = indexOf(components, account.state, compartment)
    const { tag, generation } = index.place
    const terms = quartersOf(fromDay, toDay).map(quarter => ({ ...wanted, quarter }))
    const lists = new Map<string, Uint8Array | null>()
    // One question for the first part of all quarters: nodes count them.
    const ask = async (blindTags: readonly Uint8Array[]): Promise<void> => {
      const found = await client.ask({ authorization: await authorize(components, url), tag, generation, blindTags })
      blindTags.forEach((each, i) => lists.set(toHex(each), found[i] ?? null))
    }
    await ask(terms.map(term => makeBlindTag(p, index.key, term)))
    for (const term of terms) {
      const found = await askBlind(p, index, {
        term,
        author: keys.bundle.sign,
        ask: async (_, each) => {
          if (!lists.has(toHex(each))) await ask([each])
          return lists.get(toHex(each)) ?? undefined
        }
      })
      for (const name of found) names.add(name.toString())
    }
  }
  const entries = await record.named([...names])
  // One bucket holds all rare types: which of them an entry is, only its content says.
  const isWanted = ({ summary }: IndexedEntry): boolean =>
    question.type == null || (!('code' in summary) && summary.kind === question.type)
  return entries.filter(isWanted)
}

function indexOf({ p }: AlarmComponents, state: PatientState, compartment: Compartment): BlindIndex {
  const { network, patient } = state
  const { key, number: generation } = currentGeneration(state, compartment)
  const place = { network, patient, tag: compartmentTag(p, key, compartment), generation }
  return { place, key: blindIndexKey(p, key, compartment) }
}

async function authorize({ p, random, clock, accounts }: AlarmComponents, url: string): Promise<Uint8Array> {
  const { account, keys, evidence } = await accounts.patient()
  const { network, patient } = account.state
  const { peerId } = await createNodeClient({ url, timeoutMs: TIMEOUT_MS }).status()
  const audience = peerIdFromString(peerId).toMultihash().bytes
  const request = { network, patient, grant: null, audience, issuedAtMs: clock(), nonce: random(16) }
  return signReadRequest(p, { ...request, author: keys.bundle.sign, evidence }, keys.signSeed)
}
