import { expect } from 'chai'
import { Wallet } from 'ethers'
import { granteeEvidence } from '#core/agent/grantee-requests.ts'
import { mergeGuardianPlans, type GuardianPlan } from '#core/agent/guardian-plan.ts'
import { createGrantee, type GranteeState } from '#core/agent/grantee-state.ts'
import { decodeApproval, encodeApproval } from '#core/custody/approval.ts'
import { encodeGuardianCard, readGuardianCard } from '#core/custody/guardian-card.ts'
import { holdOneTimeKeys } from '#core/custody/one-time.ts'
import { recoveryDeadlineS } from '#core/custody/recovery.ts'
import { encodeSharedKeys } from '#core/custody/shared-keys.ts'
import { fromHex } from '#core/encoding/bytes.ts'
import { encodeGrantDocument, grantIdOf, grantScope } from '#core/grant/document.ts'
import { packTerms } from '#core/grant/terms.ts'
import { decodeEvidence, MAX_EVIDENCE_BYTES } from '#core/identity/evidence.ts'
import { keyBindingDomain } from '#core/identity/key-binding.ts'
import { cidOfCanonical } from '#core/record/cid.ts'
import { itRefusesBadInput } from '#test/core/decoder-rules.ts'
import { NETWORK, PATIENT, keysOf } from '#test/core/people.ts'
import { expectCode } from '#test/error-code.ts'

const ACCESS_GRANTS = '0xe7f1725E7734CE288F8367e1Bb143E90bb3F0512'
const TARGET = { chainId: 31_337, contracts: { AccessGrants: { address: ACCESS_GRANTS } } }
const NOW_S = 1_795_180_000
const bindings = keyBindingDomain(TARGET.chainId, ACCESS_GRANTS)
const wallet = new Wallet(`0x${'11'.repeat(32)}`)
const address = fromHex(wallet.address, 20)

let evidence: Uint8Array

before(async () => {
  evidence = await granteeEvidence(await keysOf(7), {
    target: TARGET,
    notAfterS: NOW_S + 100,
    signTypedData: async (...data) => wallet.signTypedData(...data)
  })
})

describe('a guardian’s card', () => {
  const expected = { network: NETWORK, bindings, nowS: NOW_S }
  const card = (change: { network?: Uint8Array; address?: Uint8Array } = {}): Uint8Array =>
    encodeGuardianCard({ network: NETWORK, address, evidence, ...change })

  it('names the wallet that bound the keys', () => {
    const guardian = readGuardianCard(card(), expected)
    expect(guardian).to.deep.equal({ address, bundle: decodeEvidence(evidence).bundle })
  })

  it('is refused from another network or wallet, and when it has expired', async () => {
    const elsewhere = card({ network: new Uint8Array(32).fill(9) })
    await expectCode('GUARDIAN_CARD_NETWORK', () => readGuardianCard(elsewhere, expected))
    const stranger = card({ address: new Uint8Array(20).fill(9) })
    await expectCode('BINDING_ADDRESS', () => readGuardianCard(stranger, expected))
    await expectCode('BINDING_EXPIRED', () => readGuardianCard(card(), { ...expected, nowS: NOW_S + 101 }))
    const foreign = { ...expected, bindings: keyBindingDomain(1, ACCESS_GRANTS) }
    await expectCode('BINDING_ADDRESS', () => readGuardianCard(card(), foreign))
  })

  itRefusesBadInput({
    area: 'GUARDIAN_CARD',
    maxBytes: MAX_EVIDENCE_BYTES + 128,
    valid: card,
    decode: bytes => readGuardianCard(bytes, expected)
  })
})

describe('an approval of a recovery', () => {
  const approval = {
    guardian: address,
    salt: new Uint8Array(32).fill(2),
    proof: [new Uint8Array(32).fill(3), new Uint8Array(32).fill(4)],
    signature: `0x${'05'.repeat(65)}`
  }

  it('reads back', () => {
    expect(decodeApproval(encodeApproval(approval))).to.deep.equal(approval)
  })

  it('holds until 30 days before the keys that it is for', () => {
    expect(recoveryDeadlineS({ binding: { notAfter: NOW_S, signature: new Uint8Array(65) } })).to.equal(
      NOW_S - 30 * 86_400
    )
    expect(recoveryDeadlineS({})).to.equal(0)
  })

  itRefusesBadInput({
    area: 'RECOVERY_APPROVAL',
    maxBytes: 1024,
    valid: () => encodeApproval(approval),
    decode: decodeApproval
  })
})

describe('plans of guardians on two devices', () => {
  const plan = (revision: number, root: number, confirmed: readonly boolean[]): GuardianPlan => ({
    ...{ revision, threshold: 2, delayS: 86_400, root: new Uint8Array(32).fill(root) },
    guardians: confirmed.map(isConfirmed => ({
      ...{ address, bundle: Uint8Array.of(1), sealed: Uint8Array.of(2), isConfirmed }
    }))
  })

  it('become one, in any order: the newer, and of the same one all confirmations', () => {
    const [old, a, b] = [plan(1, 1, [true, true]), plan(2, 2, [true, false]), plan(2, 2, [false, true])]
    const both = plan(2, 2, [true, true])
    expect([mergeGuardianPlans(old, a), mergeGuardianPlans(a, old)]).to.deep.equal([a, a])
    expect([mergeGuardianPlans(a, b), mergeGuardianPlans(b, a)]).to.deep.equal([both, both])
    expect([mergeGuardianPlans(undefined, a), mergeGuardianPlans(a, undefined)]).to.deep.equal([a, a])
    const torn = plan(2, 3, [true, true])
    expect(mergeGuardianPlans(a, torn)).to.deep.equal(mergeGuardianPlans(torn, a))
  })
})

describe('keys that custodians gave together', () => {
  const entry = { entry: cidOfCanonical(Uint8Array.of(1)), contentKey: new Uint8Array(32).fill(8) }
  const documentOf = (compartments: readonly ('labs' | 'vitals')[], grantee = address): Uint8Array =>
    encodeGrantDocument({
      ...{ network: NETWORK, patient: PATIENT, grantee, purpose: 'TREAT', compartments, salt: new Uint8Array(32) }
    })
  const terms = (grantee = address): bigint =>
    packTerms({ grantee, rights: 1, uses: 1, notBefore: NOW_S, expiresAt: NOW_S + 100 })
  const hold = (document: Uint8Array, entries = [entry], onChain = terms()): GranteeState => {
    const grant = grantIdOf(PATIENT, grantScope(document))
    const payload = encodeSharedKeys({ document, keys: [], entries })
    return holdOneTimeKeys(createGrantee(NETWORK, address), payload, { patient: PATIENT, grant, terms: onChain })
  }

  it('are held under their grant, and only once', () => {
    const document = documentOf(['labs'])
    const grant = grantIdOf(PATIENT, grantScope(document))
    const held = hold(document)
    const key = { compartment: 'labs', name: entry.entry, key: entry.contentKey }
    expect(held.grants).to.have.lengthOf(1)
    expect(held.grants[0]).to.deep.include({ grantId: grant, rights: 1, revision: 1, keys: [], entries: [key] })
    const payload = encodeSharedKeys({ document, keys: [], entries: [entry] })
    expect(holdOneTimeKeys(held, payload, { patient: PATIENT, grant, terms: terms() })).to.deep.equal(held)
  })

  it('are refused where the grant is somebody else’s, or the part of an entry cannot be told', async () => {
    const stranger = new Uint8Array(20).fill(9)
    await expectCode('SHARED_KEYS_GRANT', () => hold(documentOf(['labs'], stranger)))
    await expectCode('SHARED_KEYS_GRANT', () => hold(documentOf(['labs']), [entry], terms(stranger)))
    await expectCode('SHARED_KEYS_GRANT', () => hold(documentOf(['vitals', 'labs'])))
  })
})
