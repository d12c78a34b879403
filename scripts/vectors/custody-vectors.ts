/** Vectors of the formats of shares, receipts and erasure: docs/specs/{share-plan,custody,receipts,erasure,break-glass}.md. */
import type { Primitives, Random } from '#core/crypto/primitives.ts'
import type { SecretSharing } from '#core/crypto/secret-sharing.ts'
import { signAttestation } from '#core/custody/attestation.ts'
import { signGlassRecord } from '#core/custody/break-glass.ts'
import { signConfirmation } from '#core/custody/confirmation.ts'
import { signCustodianCard } from '#core/custody/custodian-card.ts'
import { encodePackage } from '#core/custody/emergency-package.ts'
import { signErasure } from '#core/custody/erasure.ts'
import { sealRelease } from '#core/custody/release.ts'
import { decodeSealedShare } from '#core/custody/sealed-share.ts'
import { shareOut } from '#core/custody/share-out.ts'
import { toHex } from '#core/encoding/bytes.ts'
import { preferredKemKey } from '#core/grant/capsule.ts'
import { deriveAgentKeys } from '#core/identity/agent-keys.ts'
import { encodeEvidence } from '#core/identity/evidence.ts'
import { cidOfCanonical } from '#core/record/cid.ts'
import { receiptLogOrigin } from '#core/receipts/origin.ts'
import { signCheckpoint } from '#core/tlog/checkpoint.ts'
import { sealReceipt } from '#core/receipts/receipt.ts'
import {
  NETWORK,
  PATIENT,
  invalidForms,
  readable,
  type InvalidVector,
  type VectorFile
} from '#scripts/vectors/vector-file.ts'

const random: Random = length => new Uint8Array(length).fill(0x13)
const PEER_SEED = new Uint8Array(32).fill(0x21)
const AT_MS = 1_795_000_000_000

/** Shares of which two give the secret: the line through it that rises by one, at 1, 2, 3 and so on. */
const lineSharing: SecretSharing = {
  split: async (secret, count) =>
    Promise.resolve(
      Array.from({ length: count }, (_, i) => Uint8Array.of(...secret.map(byte => byte ^ (i + 1)), i + 1))
    ),
  combine: async () => Promise.reject(new Error('vectors only split'))
}

/** Formats that name no patient have no vector of another one. */
const withoutPlace = (vectors: readonly InvalidVector[]): InvalidVector[] =>
  vectors.filter(({ name }) => !name.startsWith('another network') && !name.startsWith('another patient'))

/** The files by name, without `.json`. */
export async function custodyVectors(p: Primitives): Promise<Record<string, VectorFile>> {
  const patientKeys = await deriveAgentKeys(p, new Uint8Array(32).fill(1), [2])
  const keepers = await Promise.all([2, 3, 4].map(async seed => deriveAgentKeys(p, new Uint8Array(32).fill(seed), [2])))
  const [keeper] = keepers
  if (keeper == null) throw new Error('no keeper')
  const about = { network: NETWORK, patient: PATIENT, rule: 'claim' as const, subject: new Uint8Array(32).fill(7) }
  const payload = new Uint8Array(40).fill(8)
  const shared = await shareOut(
    { p, random, sharing: lineSharing },
    {
      ...about,
      ...{ revision: 1, threshold: 2, notAfterS: 1_796_000_000, payload, patientKeys },
      keepers: keepers.map(({ bundleBytes }) => ({ bundle: bundleBytes }))
    }
  )
  const [sealed = new Uint8Array()] = shared.shares
  const plan = p.sha256(shared.planBytes)
  const header = { plan, index: 0, request: new Uint8Array(32).fill(9), receipt: 5 }
  const key = new Uint8Array(32).fill(0x13)
  const share = Uint8Array.of(...key.map(byte => byte ^ 1), 1)
  const asker = await deriveAgentKeys(p, new Uint8Array(32).fill(11), [2])
  const to = preferredKemKey(asker.bundle)
  const release = await sealRelease(p, random, { header, share, to, keeper })
  const confirmation = signConfirmation(p, decodeSealedShare(sealed), AT_MS, keeper)
  const card = { network: NETWORK, bundle: keeper.bundleBytes, log: new Uint8Array(32).fill(12) }
  const cardBytes = signCustodianCard(p, card, PEER_SEED)
  const content = {
    ...{ kind: 'share' as const, patient: PATIENT, subject: about.subject, rule: 'claim' },
    ...{ reader: asker.bundle.sign, address: new Uint8Array(20).fill(0xd0), request: header.request, atMs: AT_MS }
  }
  const receipt = await sealReceipt(p, random, { network: NETWORK, content, bundles: [patientKeys.bundleBytes] })
  const checkpoint = {
    origin: receiptLogOrigin(NETWORK, keeper.bundle.sign),
    size: 3,
    root: new Uint8Array(32).fill(6)
  }
  const erasure = {
    ...{ network: NETWORK, patient: PATIENT, day: 20_775, nonce: new Uint8Array(16).fill(14) },
    entries: [cidOfCanonical(Uint8Array.of(1))]
  }
  const erasureBytes = signErasure(p, erasure, patientKeys)
  const attestation = { erasure: p.sha256(erasureBytes), had: 1, atMs: AT_MS }
  const attestationBytes = signAttestation(p, attestation, PEER_SEED)
  const record = {
    ...{ network: NETWORK, patient: PATIENT, plan, credential: new Uint8Array(32).fill(15) },
    ...{
      reason: new Uint8Array(32).fill(16),
      sealedReason: new Uint8Array(),
      atMs: AT_MS,
      durationS: 3600,
      nonce: new Uint8Array(16).fill(17)
    },
    ...{ author: asker.bundle.sign, evidence: encodeEvidence({ bundle: asker.bundleBytes }) }
  }
  const recordBytes = signGlassRecord(p, record, asker.signSeed)
  const packagedEntry = {
    ...{ headerBytes: new Uint8Array(40).fill(1), slotBytes: new Uint8Array(40).fill(2) },
    ...{ evidenceBytes: new Uint8Array(40).fill(3), blob: new Uint8Array(40).fill(4) }
  }
  const packageBytes = encodePackage({ share: sealed, entries: [packagedEntry] })
  const seeds = { patientSeed: toHex(new Uint8Array(32).fill(1)), keeperSeed: toHex(new Uint8Array(32).fill(2)) }
  return {
    'share-plan': {
      description:
        'Plans, sealed shares, releases and confirmations (docs/specs/share-plan.md); all randomness is the byte 13',
      valid: [
        { ...seeds, about: readable(about), payload: toHex(payload), key: toHex(key), bytes: toHex(shared.planBytes) },
        { share: toHex(share), sealed: toHex(sealed) },
        { askerSeed: toHex(new Uint8Array(32).fill(11)), header: readable(header), release: toHex(release) },
        { atMs: AT_MS, confirmation: toHex(confirmation) }
      ],
      invalid: [
        ...invalidForms('SHARE_PLAN', shared.planBytes),
        ...invalidForms('SEALED_SHARE', sealed),
        ...invalidForms('SHARE_RELEASE', release)
      ]
    },
    custody: {
      description: 'Custodians’ cards (docs/specs/custody.md)',
      valid: [{ peerSeed: toHex(PEER_SEED), card: readable(card), bytes: toHex(cardBytes) }],
      invalid: withoutPlace(invalidForms('CUSTODIAN_CARD', cardBytes))
    },
    receipts: {
      description: 'Receipts and checkpoints (docs/specs/receipts.md); all randomness is the byte 13',
      valid: [
        { ...seeds, content: readable(content), bytes: toHex(receipt) },
        { checkpoint: readable(checkpoint), note: signCheckpoint(p, checkpoint, keeper.signSeed) }
      ],
      invalid: withoutPlace(invalidForms('RECEIPT', receipt))
    },
    erasure: {
      description: 'Erasures and attestations (docs/specs/erasure.md)',
      valid: [
        { ...seeds, erasure: readable(erasure), bytes: toHex(erasureBytes) },
        { peerSeed: toHex(PEER_SEED), attestation: readable(attestation), bytes: toHex(attestationBytes) }
      ],
      invalid: [...invalidForms('ERASURE', erasureBytes), ...invalidForms('ATTESTATION', attestationBytes)]
    },
    'break-glass': {
      description: 'Records and packages of emergencies without a network (docs/specs/break-glass.md)',
      valid: [
        { signSeed: toHex(asker.signSeed), record: readable(record), bytes: toHex(recordBytes) },
        { share: toHex(sealed), entry: readable({ ...packagedEntry }), package: toHex(packageBytes) }
      ],
      invalid: [
        ...invalidForms('GLASS_RECORD', recordBytes),
        ...withoutPlace(invalidForms('EMERGENCY_PACKAGE', packageBytes))
      ]
    }
  }
}
