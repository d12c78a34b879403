/** What a patient prepares for an emergency without a network: a card, and a package for each of those who keep the other shares. */
import { encodeShareCard } from '#core/custody/break-glass.ts'
import { shareEmergency } from '#core/custody/emergency-keys.ts'
import {
  encodePackage,
  MAX_PACKAGE_BYTES,
  MAX_PACKAGED_BLOB_BYTES,
  MAX_PACKAGED_ENTRIES
} from '#core/custody/emergency-package.ts'
import { readGuardianCard } from '#core/custody/guardian-card.ts'
import { decodeSealedShare, openShare } from '#core/custody/sealed-share.ts'
import type { ReceivedEntry } from '#core/agent/author.ts'
import { auditedSharing } from '#core/crypto/secret-sharing.ts'
import { toHex } from '#core/encoding/bytes.ts'
import { SalusError } from '#core/error.ts'
import { keyBindingDomain } from '#core/identity/key-binding.ts'
import { dayOf } from '#core/record/day.ts'
import { secondsOf } from '#agent/components.ts'
import type { AlarmComponents } from '#agent/glass/alarms.ts'
import type { IndexedEntry } from '#agent/record/indexed-entry.ts'

const DAY_S = 86_400
const THRESHOLD = 2
/** What one share and its plan may take of a package, and what each entry takes besides its blob. */
const PLAN_BYTES = 2 << 20
const ENTRY_BYTES = 8_192

/** For whom, and for how long. */
export interface CardsWish {
  /** Encoded cards of the people who keep the other shares (docs/specs/guardian-share.md). */
  readonly keepers: readonly Uint8Array[]
  readonly vitalsS: number
  /** For how many days to come the shares open anything. */
  readonly days: number
}

/** What was made. */
export interface Cards {
  /** Text of the patient's own card. */
  readonly card: string
  readonly throughDay: number
  readonly entries: number
  readonly packages: readonly { readonly address: Uint8Array; readonly bytes: Uint8Array }[]
}

/**
 * Makes a card and packages; those made before open nothing that comes after the next change of keys.
 *
 * @throws SalusError `GUARDIAN_CARD_*`, `BINDING_*`, `EVIDENCE_*` of a keeper; `GUARDIANS_TWICE`; `SHARES_RANGE`, `DAY_RANGE`; and what the
 * node refuses the record with
 */
export async function makeCards(components: AlarmComponents, wish: CardsWish): Promise<Cards> {
  const { p, random, clock, deployment, accounts, shelf } = components
  const { account, keys } = await accounts.patient()
  const { state } = account
  const nowS = secondsOf(clock)
  const bindings = keyBindingDomain(deployment.chainId, deployment.contracts.AccessGrants.address)
  const others = wish.keepers.map(card => readGuardianCard(card, { network: state.network, bindings, nowS }))
  if (new Set(others.map(({ address }) => toHex(address))).size < others.length) {
    throw new SalusError('GUARDIANS_TWICE', 'Each guardian counts once; name others.')
  }
  const span = { fromDay: dayOf((nowS - wish.vitalsS) * 1000), throughDay: dayOf(nowS * 1000) + wish.days }
  // The first share is the patient's own: it goes onto the card.
  const keepers = [{ bundle: keys.bundleBytes }, ...others.map(({ bundle }) => ({ bundle }))]
  const how = { rule: 'offline-glass' as const, revision: nowS, threshold: THRESHOLD, keepers, ...span }
  const { planBytes, shares } = await shareEmergency({ p, random, sharing: auditedSharing }, { state, keys }, how)
  const [own = new Uint8Array(), ...theirs] = shares
  const plan = p.sha256(planBytes)
  const { share } = await openShare(p, decodeSealedShare(own), keys)
  await shelf.seen.update(seen => ({ ...seen, offlinePlans: [...seen.offlinePlans, plan] }))
  const entries = await packaged(components, span.fromDay)
  return {
    card: encodeShareCard({ plan, index: 0, share }),
    throughDay: span.throughDay,
    entries: entries.length,
    packages: theirs.map((sealed, i) => ({
      address: others[i]?.address ?? new Uint8Array(),
      bytes: encodePackage({ share: sealed, entries })
    }))
  }
}

/** The newest of what the shares open, as it is sealed, as far as there is room. */
async function packaged({ record }: AlarmComponents, fromDay: number): Promise<ReceivedEntry[]> {
  const isOpened = ({ place, header, summary, standing }: IndexedEntry): boolean =>
    place === 'stands' &&
    standing?.status !== 'retracted' &&
    !('code' in summary) &&
    (summary.compartment === 'emergency' || (summary.compartment === 'vitals' && header.day >= fromDay))
  const all = (await record.versions()).filter(isOpened).reverse()
  // What is known of allergies comes before yesterday's pulse.
  const rank = ({ summary }: IndexedEntry): number => ('code' in summary || summary.compartment === 'vitals' ? 1 : 0)
  const entries: ReceivedEntry[] = []
  let left = MAX_PACKAGE_BYTES - PLAN_BYTES
  for (const { cid, header } of all.sort((a, b) => rank(a) - rank(b))) {
    if (header.sizeBytes > MAX_PACKAGED_BLOB_BYTES || header.sizeBytes + ENTRY_BYTES > left) continue
    if (entries.length === MAX_PACKAGED_ENTRIES) break
    left -= header.sizeBytes + ENTRY_BYTES
    entries.push(await record.sealed(cid.toString()))
  }
  return entries
}

/** Bounds of a wish. */
export const CARD_LIMITS = { maxDays: 366, maxVitalsS: 30 * DAY_S, maxKeepers: 8 } as const
