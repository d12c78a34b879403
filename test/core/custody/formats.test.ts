import { decode as decodeCbor, encode } from '@ipld/dag-cbor'
import { expect } from 'chai'
import { MAX_ATTESTATION_BYTES, readAttestation, signAttestation } from '#core/custody/attestation.ts'
import {
  MAX_CUSTODY_CALL_BYTES,
  MAX_CUSTODY_REPLY_BYTES,
  decodeCustodyCall,
  decodeCustodyReply,
  encodeCustodyCall,
  encodeCustodyReply
} from '#core/custody/call.ts'
import { MAX_SHARE_CONFIRMATION_BYTES, readConfirmation, signConfirmation } from '#core/custody/confirmation.ts'
import { MAX_CUSTODIAN_CARD_BYTES, readCustodianCard, signCustodianCard } from '#core/custody/custodian-card.ts'
import { MAX_ERASURE_BYTES, decodeErasure, signErasure, verifyErasure } from '#core/custody/erasure.ts'
import { keepNewest } from '#core/custody/keeping.ts'
import { readOneTimeKeys } from '#core/custody/one-time.ts'
import { MAX_SHARED_PAYLOAD_BYTES } from '#core/custody/plan.ts'
import { decodeRecoveryRequest, encodeRecoveryRequest } from '#core/custody/recovery.ts'
import {
  MAX_CUSTODY_ANSWER_BYTES,
  MAX_CUSTODY_REQUEST_BYTES,
  decodeCustodyAnswer,
  decodeCustodyRequest,
  encodeCustodyAnswer,
  encodeCustodyRequest
} from '#core/custody/release-request.ts'
import { decodeSealedShare, type SealedShare } from '#core/custody/sealed-share.ts'
import { shareOut } from '#core/custody/share-out.ts'
import { decodeSharedKeys, encodeSharedKeys, type SharedKeys } from '#core/custody/shared-keys.ts'
import { encodeGrantDocument, grantIdOf, grantScope } from '#core/grant/document.ts'
import { MAX_EVIDENCE_BYTES } from '#core/identity/evidence.ts'
import { coverOf } from '#core/record/day-tree.ts'
import { cidOfCanonical } from '#core/record/cid.ts'
import type { AgentKeys } from '#core/identity/agent-keys.ts'
import { tools } from '#test/core/custody/circle.ts'
import { itRefusesBadInput } from '#test/core/decoder-rules.ts'
import { NETWORK, PATIENT, keysOf } from '#test/core/people.ts'
import { expectCode } from '#test/error-code.ts'

const { p, random } = tools
const PEER_SEED = new Uint8Array(32).fill(5)

describe('the formats of custody', () => {
  let keys: AgentKeys
  let held: SealedShare
  const parts: Record<string, Uint8Array> = {}
  const part = (name: string) => (): Uint8Array => parts[name]!

  const share = async (revision: number, patient = PATIENT): Promise<SealedShare> => {
    const about = { network: NETWORK, patient, rule: 'recovery' as const, subject: null, notAfterS: null }
    const keepers = [{ bundle: keys.bundleBytes }, { bundle: keys.bundleBytes }]
    const input = { ...about, revision, threshold: 2, payload: random(32), keepers, patientKeys: keys }
    return decodeSealedShare((await shareOut(tools, input)).shares[0]!)
  }

  const document = encodeGrantDocument({
    ...{ network: NETWORK, patient: PATIENT, grantee: new Uint8Array(20).fill(1), purpose: 'TREAT' },
    ...{ compartments: ['labs'], salt: new Uint8Array(32) }
  })
  const grant = grantIdOf(PATIENT, grantScope(document))
  const sharedKeys: SharedKeys = {
    document,
    keys: [
      { compartment: 'labs', tag: new Uint8Array(16), generation: 1, cover: coverOf(p, new Uint8Array(32), 9, 12) }
    ],
    entries: [{ entry: cidOfCanonical(Uint8Array.of(1)), contentKey: new Uint8Array(32).fill(4) }]
  }

  before(async () => {
    keys = await keysOf(1)
    held = await share(1)
    const card = { network: NETWORK, bundle: keys.bundleBytes, log: new Uint8Array(32) }
    parts['card'] = signCustodianCard(p, card, PEER_SEED)
    parts['confirmation'] = signConfirmation(p, held, 7, keys)
    parts['keys'] = encodeSharedKeys(sharedKeys)
    parts['call'] = encodeCustodyCall({ ask: 'keep', body: random(40) })
    parts['reply'] = encodeCustodyReply({ code: null, body: random(40) })
    parts['request'] = encodeCustodyRequest({ rule: 'claim', authorization: random(40) })
    parts['answer'] = encodeCustodyAnswer({ plan: random(40), release: random(40) })
    parts['recovery'] = encodeRecoveryRequest({ network: NETWORK, patient: PATIENT, evidence: random(40) })
    const entries = [cidOfCanonical(Uint8Array.of(1)), cidOfCanonical(Uint8Array.of(2))]
    parts['erasure'] = signErasure(p, { network: NETWORK, patient: PATIENT, day: 9, nonce: random(16), entries }, keys)
    parts['attestation'] = signAttestation(p, { erasure: p.sha256(parts['erasure']), had: 2, atMs: 7 }, PEER_SEED)
  })

  describe('a card', () => {
    it('is believed of the peer that made it, on its network', async () => {
      const card = readCustodianCard(p, part('card')(), NETWORK)
      expect(card.peer.slice(6)).to.deep.equal(p.ed25519PublicKey(PEER_SEED))
      await expectCode('CUSTODIAN_CARD_NETWORK', () => readCustodianCard(p, part('card')(), PATIENT))
      const forged = encode({ ...decodeCbor<Record<string, unknown>>(part('card')()), log: random(32) })
      await expectCode('CUSTODIAN_CARD_SIGNATURE', () => readCustodianCard(p, forged, NETWORK))
    })

    const decode = (bytes: Uint8Array): unknown => readCustodianCard(p, bytes, NETWORK)
    itRefusesBadInput({ area: 'CUSTODIAN_CARD', maxBytes: MAX_CUSTODIAN_CARD_BYTES, valid: part('card'), decode })
  })

  describe('a confirmation', () => {
    const expected = () => ({ planBytes: held.plan.bytes, index: 0, keeper: keys.bundle.sign })
    const decode = (bytes: Uint8Array): unknown => readConfirmation(p, bytes, expected())
    const maxBytes = MAX_SHARE_CONFIRMATION_BYTES
    itRefusesBadInput({ area: 'SHARE_CONFIRMATION', maxBytes, valid: part('confirmation'), decode })
  })

  describe('shared keys', () => {
    it('are of one grant, and of its compartments', async () => {
      const payload = part('keys')()
      expect(readOneTimeKeys(payload, { patient: PATIENT, grant })).to.deep.equal(sharedKeys)
      await expectCode('SHARED_KEYS_GRANT', () => readOneTimeKeys(payload, { patient: PATIENT, grant: NETWORK }))
      const [key] = sharedKeys.keys
      const more = encodeSharedKeys({ ...sharedKeys, keys: [{ ...key!, compartment: 'mental' }] })
      await expectCode('SHARED_KEYS_GRANT', () => readOneTimeKeys(more, { patient: PATIENT, grant }))
      const none = encodeSharedKeys({ ...sharedKeys, document: null })
      await expectCode('SHARED_KEYS_GRANT', () => readOneTimeKeys(none, { patient: PATIENT, grant }))
    })

    const maxBytes = MAX_SHARED_PAYLOAD_BYTES
    itRefusesBadInput({ area: 'SHARED_KEYS', maxBytes, valid: part('keys'), decode: decodeSharedKeys })
  })

  describe('an erasure', () => {
    it('is signed by its patient, and names something', async () => {
      expect(verifyErasure(p, decodeErasure(part('erasure')()))).to.equal(true)
      const nothing = { network: NETWORK, patient: PATIENT, day: 9, nonce: random(16), entries: [] }
      await expectCode('ERASURE_SHAPE', () => decodeErasure(signErasure(p, nothing, keys)))
    })

    itRefusesBadInput({
      ...{ area: 'ERASURE', maxBytes: MAX_ERASURE_BYTES, valid: part('erasure') },
      ...{ decode: decodeErasure, elsewhere: decodeErasure }
    })
  })

  describe('an attestation', () => {
    const decode = (bytes: Uint8Array): unknown => readAttestation(p, bytes)
    itRefusesBadInput({ area: 'ATTESTATION', maxBytes: MAX_ATTESTATION_BYTES, valid: part('attestation'), decode })
  })

  const wire = [
    ['CUSTODY_CALL', 'call', MAX_CUSTODY_CALL_BYTES, decodeCustodyCall],
    ['CUSTODY_REPLY', 'reply', MAX_CUSTODY_REPLY_BYTES, decodeCustodyReply],
    ['CUSTODY_REQUEST', 'request', MAX_CUSTODY_REQUEST_BYTES, decodeCustodyRequest],
    ['CUSTODY_ANSWER', 'answer', MAX_CUSTODY_ANSWER_BYTES, decodeCustodyAnswer],
    ['RECOVERY_REQUEST', 'recovery', MAX_EVIDENCE_BYTES + 256, decodeRecoveryRequest]
  ] as const
  for (const [area, name, maxBytes, decode] of wire) {
    describe(`on the wire: ${area}`, () => {
      itRefusesBadInput({ area, maxBytes, valid: part(name), decode: bytes => decode(bytes), mutations: 2000 })
    })
  }

  it('a guardian keeps the newest share of each patient', async () => {
    const [second, other] = [await share(2), await share(1, NETWORK)]
    expect(keepNewest([held, other], second)).to.deep.equal([other, second])
    expect(keepNewest([], held)).to.deep.equal([held])
    await expectCode('SHARE_STALE', () => keepNewest([second], held))
    await expectCode('SHARE_STALE', () => keepNewest([second], second))
  })
})
