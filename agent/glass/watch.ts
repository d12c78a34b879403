/**
 * What an agent does about emergencies while it runs: it notices them on the chain, reads the responders' records, tells the
 * person, replaces what was opened when it is over, and renews the shares. Each step may be cut off and is made up for.
 */
import { peerIdFromString } from '@libp2p/peer-id'
import { decodeGlassRecord, verifyGlassRecord } from '#core/custody/break-glass.ts'
import { openReason } from '#core/custody/sealed-reason.ts'
import { equalBytes, fromHex, toHex } from '#core/encoding/bytes.ts'
import { isSalusError } from '#core/error.ts'
import { signReadRequest } from '#core/grant/read-request.ts'
import { unpackTerms } from '#core/grant/terms.ts'
import type { Compartment } from '#core/record/compartment.ts'
import { secondsOf } from '#agent/components.ts'
import { foldEmergencies, type EmergencyOnChain } from '#agent/glass/emergencies.ts'
import type { GlassComponents } from '#agent/glass/glass.ts'
import { withoutEnded } from '#agent/glass/held-emergencies.ts'
import { sayOnce, type Notification } from '#agent/glass/notifications.ts'
import { renewPreparation } from '#agent/glass/preparation.ts'
import type { SeenRecord } from '#agent/glass/seen.ts'
import { replaceKeys } from '#agent/patient/grants.ts'

/** What an emergency opens. */
const OPENED: readonly Compartment[] = ['emergency', 'vitals']
const PAGE = 100
/** What was given longer ago is no news. */
const GIVEN_S = 86_400

/** Does all of it once, as far as it goes now. */
export async function lookAtEmergencies(components: GlassComponents): Promise<void> {
  const { keeper, clock, shelf, chain } = components
  const { patient, clinician } = keeper.state()
  const nowS = secondsOf(clock)
  if (clinician != null) {
    await shelf.emergencies.update(held => {
      const now = withoutEnded(held, nowS)
      return now.every((each, i) => each === held[i]) && now.length === held.length ? held : now
    })
    await tellGiven(components, clinician.state.address, nowS)
  }
  const { watched } = await shelf.seen.read()
  if (patient == null && watched.length === 0) return
  const emergencies = foldEmergencies(await chain.events())
  for (const each of watched) {
    await tell(
      components,
      emergencies.filter(({ patient: whose }) => whose === toHex(each)),
      nowS
    )
  }
  // What is not on the chain yet has neither emergencies nor custodians.
  if (patient == null || patient.operations.some(({ kind }) => kind === 'register')) return
  const own = emergencies.filter(({ patient: whose }) => whose === toHex(patient.state.patient))
  await tell(components, own, nowS)
  await readRecords(components)
  await settle(components, own, nowS)
  await renewPreparation(components)
}

/** A crew that did not ask is told what it was given; so is everybody else. */
async function tellGiven(components: GlassComponents, address: Uint8Array, nowS: number): Promise<void> {
  for (const { event, timeS } of await components.chain.events()) {
    if (event.name !== 'Granted' || timeS < nowS - GIVEN_S) continue
    if (!equalBytes(unpackTerms(event.terms).grantee, address)) continue
    await sayOnce(components, 'access-given', { patient: event.patient, subject: event.grantId })
  }
}

async function tell(
  components: GlassComponents,
  emergencies: readonly EmergencyOnChain[],
  nowS: number
): Promise<void> {
  for (const { id, patient, untilS, outcome } of emergencies) {
    const say = async (kind: Notification['kind']): Promise<void> => sayOnce(components, kind, { patient, subject: id })
    await say('emergency-declared')
    if (untilS <= nowS) await say('emergency-over')
    if (outcome !== 'unreviewed') await say('emergency-reviewed')
  }
}

/** Reads the records of responders that the node has taken since. */
async function readRecords(components: GlassComponents): Promise<void> {
  const { p, random, clock, node, accounts, shelf } = components
  const { account, keys, evidence } = await accounts.patient()
  const { network, patient } = account.state
  const { peerId } = await node.status()
  for (let isMore = true; isMore;) {
    const { after } = await shelf.seen.read()
    const about = { network, patient, grant: null, audience: peerIdFromString(peerId).toMultihash().bytes }
    const request = { ...about, issuedAtMs: clock(), nonce: random(16), author: keys.bundle.sign, evidence }
    const authorization = signReadRequest(p, request, keys.signSeed)
    const { notices, next } = await node.queryNotices({ authorization, after, limit: PAGE })
    const found: SeenRecord[] = []
    for (const { kind, body } of notices) {
      if (kind === 'glass') found.push(...(await readRecord(components, body)))
    }
    for (const { id, isOffline } of found) {
      if (isOffline)
        await sayOnce(components, 'emergency-without-network', { patient: toHex(patient), subject: toHex(id) })
    }
    await shelf.seen.update(seen => {
      const records = found.filter(({ id }) => !seen.records.some(each => equalBytes(each.id, id)))
      const last = next ?? notices.at(-1)?.position ?? seen.after
      if (records.length === 0 && last <= seen.after) return seen
      return { ...seen, after: Math.max(seen.after, last), records: [...seen.records, ...records] }
    })
    isMore = next != null
  }
}

/** A node's answer is not believed: what is not this patient's, or not signed, is passed over. */
async function readRecord({ p, accounts, shelf }: GlassComponents, bytes: Uint8Array): Promise<SeenRecord[]> {
  const { account, keys } = await accounts.patient()
  const { network, patient } = account.state
  try {
    const record = decodeGlassRecord(bytes, { network, patient })
    if (!verifyGlassRecord(p, record)) return []
    const { reason: commitment, credential, sealedReason, atMs, durationS, plan } = record
    const reason = await openReason(sealedReason, keys, commitment).catch((error: unknown) => {
      if (!isSalusError(error)) throw error
      return ''
    })
    const { offlinePlans } = await shelf.seen.read()
    const isOffline = offlinePlans.some(each => equalBytes(each, plan))
    const sinceS = Math.floor(atMs / 1000)
    return [{ id: p.sha256(bytes), commitment, credential, reason, sinceS, untilS: sinceS + durationS, isOffline }]
  } catch (error) {
    if (!isSalusError(error)) throw error
    return []
  }
}

/** Once an emergency is over, what it opened gets new keys: first that is kept, then that it was done. */
async function settle(components: GlassComponents, own: readonly EmergencyOnChain[], nowS: number): Promise<void> {
  const { shelf, accounts } = components
  const { settled, records } = await shelf.seen.read()
  const over = [
    ...own.map(({ id, untilS }) => ({ id: fromHex(id, 32), untilS })),
    ...records.filter(({ isOffline }) => isOffline)
  ]
    .filter(({ id, untilS }) => untilS <= nowS && !settled.some(each => equalBytes(each, id)))
    .map(({ id }) => id)
  if (over.length === 0) return
  await replaceKeys(components, OPENED)
  await shelf.seen.update(seen => ({ ...seen, settled: [...seen.settled, ...over] }))
  const { patient } = (await accounts.patient()).account.state
  for (const id of over) await sayOnce(components, 'keys-replaced', { patient: toHex(patient), subject: toHex(id) })
}
