/** Erasing entries for good: the patient's word goes to every keeper, and each attests that it holds nothing of them any more. */
import { setTimeout as pause } from 'node:timers/promises'
import { peerIdFromString } from '@libp2p/peer-id'
import type { CID } from 'multiformats/cid'
import { certifyErasure, type ErasureCertificate } from '#core/custody/attestation.ts'
import { MAX_ERASED_ENTRIES, decodeErasure, signErasure, verifyErasure } from '#core/custody/erasure.ts'
import { equalBytes, toHex } from '#core/encoding/bytes.ts'
import { isSalusError, SalusError } from '#core/error.ts'
import { encodeMessage } from '#core/network/envelope.ts'
import { dayOf } from '#core/record/day.ts'
import type { Agent } from '#agent/agent.ts'
import { changePatient } from '#agent/patient/change.ts'
import type { Progress } from '#agent/patient/operations.ts'
import { createNodeClient, type NodeClient } from '#node/http/client.ts'

/** What keepers have attested so far. */
export interface CollectedErasure extends ErasureCertificate {
  readonly erasure: Uint8Array
  readonly attestations: readonly Uint8Array[]
  /** HTTP APIs of keepers that did not answer: who they are is not known. */
  readonly unreachable: readonly string[]
}

const LOOK_MS = 500
const TIMEOUT_MS = 10_000
const PAGE = 1_000

/**
 * Erases all revisions of an entry: kept first, then handed in.
 *
 * @param name - id of the entry, or name of one of its headers
 * @returns the encoded erasure
 * @throws SalusError `ENTRY_UNKNOWN`, `ERASURE_TOO_MANY`, what the node refuses it with
 */
export async function eraseEntry(
  agent: Agent,
  name: string
): Promise<{ readonly erasure: Uint8Array; readonly progress: Progress }> {
  const { p, random, clock, keeper, accounts, operations } = agent
  const entries = await headersOf(agent, name)
  const { account, keys } = await accounts.patient()
  const { network, patient } = account.state
  const erasure = signErasure(p, { network, patient, day: dayOf(clock()), nonce: random(16), entries }, keys)
  const id = random(16)
  const messages = [encodeMessage({ kind: 'erasure', network, erasure })]
  await changePatient(keeper, now => ({
    ...now,
    operations: [...now.operations, { id, kind: 'erase', grantId: null, messages }]
  }))
  const progress = await operations.run(id)
  agent.forgetRecord()
  return { erasure, progress }
}

async function headersOf({ record }: Agent, name: string): Promise<CID[]> {
  const all: { cid: CID; entry: string }[] = []
  for (let after: number | null = 0; after != null;) {
    const page = await record.list({ after, limit: PAGE })
    all.push(...page.entries.map(({ cid, header }) => ({ cid, entry: toHex(header.entry) })))
    after = page.next
  }
  const id = all.find(({ cid, entry }) => entry === name || cid.toString() === name)?.entry
  const cids = all.filter(({ entry }) => entry === id).map(({ cid }) => cid)
  if (cids.length === 0) throw new SalusError('ENTRY_UNKNOWN', 'There is no such entry that this agent knows.')
  if (cids.length > MAX_ERASED_ENTRIES) {
    throw new SalusError('ERASURE_TOO_MANY', 'One erasure names at most 256 revisions; erase them one by one.')
  }
  return cids
}

/**
 * Asks the agent's own node and all keepers named for their attestations, until all have given them or the time is over.
 *
 * @throws SalusError `ERASURE_*` if it is no erasure of this patient
 */
export async function collectAttestations(
  { p, clock, node, accounts }: Agent,
  erasure: Uint8Array,
  { keepers, waitMs }: { readonly keepers: readonly string[]; readonly waitMs: number }
): Promise<CollectedErasure> {
  const { account, keys } = await accounts.patient()
  const decoded = decodeErasure(erasure, account.state)
  if (!verifyErasure(p, decoded) || !equalBytes(decoded.bundle, keys.bundleBytes)) {
    throw new SalusError('ERASURE_SIGNATURE', 'Refused: the patient did not sign this erasure.')
  }
  const digest = toHex(p.sha256(erasure))
  const clients = [
    { url: '', client: node },
    ...keepers.map(url => ({ url, client: createNodeClient({ url, timeoutMs: TIMEOUT_MS }) }))
  ]
  const peers = new Map<string, Uint8Array>()
  const given = new Map<string, Uint8Array>()
  const deadline = clock() + waitMs
  for (;;) {
    for (const { url, client } of clients) {
      if (given.has(url)) continue
      const peer = peers.get(url) ?? (await answered(async () => peerOf(client)))
      if (peer == null) continue
      peers.set(url, peer)
      const attestation = await answered(async () => client.attestation(digest))
      if (attestation != null) given.set(url, attestation)
    }
    if (given.size === clients.length || clock() >= deadline) break
    await pause(LOOK_MS)
  }
  const attestations = [...given.values()]
  const expected = new Map([...peers.values()].map(peer => [toHex(peer), peer]))
  const unreachable = clients.map(({ url }) => url).filter(url => !peers.has(url))
  return { ...certifyErasure(p, erasure, attestations, [...expected.values()]), erasure, attestations, unreachable }
}

async function peerOf(client: NodeClient): Promise<Uint8Array> {
  return peerIdFromString((await client.status()).peerId).toMultihash().bytes
}

async function answered<T>(ask: () => Promise<T>): Promise<T | undefined> {
  try {
    return await ask()
  } catch (error) {
    if (isSalusError(error)) return undefined
    throw error
  }
}
