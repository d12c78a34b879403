import { expect } from 'chai'
import { Wallet, keccak256 } from 'ethers'
import { granteeEvidence } from '#core/agent/grantee-requests.ts'
import type { Hex } from '#core/chain/events.ts'
import {
  MAX_GLASS_RECORD_BYTES,
  decodeGlassRecord,
  encodeShareCard,
  openOffline,
  readShareCard,
  signGlassRecord,
  type GlassRecord,
  type OpenShare
} from '#core/custody/break-glass.ts'
import { decodeSharePlan } from '#core/custody/plan.ts'
import { judgeRelease } from '#core/custody/release-rules.ts'
import { shareEmergency } from '#core/custody/emergency-keys.ts'
import { decodeSealedShare, openShare } from '#core/custody/sealed-share.ts'
import type { SharedOut } from '#core/custody/share-out.ts'
import { fromHex, toHex } from '#core/encoding/bytes.ts'
import { judge } from '#core/network/accept.ts'
import type { ReadRequest } from '#core/grant/read-request.ts'
import { deriveAgentKeys, type AgentKeys } from '#core/identity/agent-keys.ts'
import { leafFromCover, leafOf } from '#core/record/day-tree.ts'
import { createDemoPatient, osRandom, type DemoPatient } from '#scripts/story/people.ts'
import { tools } from '#test/core/custody/circle.ts'
import { itRefusesBadInput } from '#test/core/decoder-rules.ts'
import { DAY, NOON_S, PaperChain, PaperStore, paperDeployment } from '#test/core/network/accept-world.ts'
import { keysOf } from '#test/core/people.ts'
import { expectCode } from '#test/error-code.ts'

const { p } = tools
const NOW_MS = NOON_S * 1000

describe('an emergency', () => {
  const deployment = paperDeployment()
  const wallet = Wallet.createRandom()
  const holder = wallet.address.toLowerCase() as Hex
  const [credential, emergency] = [osRandom(32), osRandom(32)]
  let chain: PaperChain
  let patient: DemoPatient
  let crew: AgentKeys
  let evidence: Uint8Array
  let keepers: AgentKeys[]
  let offline: SharedOut
  let open: OpenShare[]
  let record: GlassRecord

  before(async () => {
    patient = await createDemoPatient(deployment)
    crew = await deriveAgentKeys(p, osRandom(32), [2])
    const signTypedData: DemoPatient['signTypedData'] = async (...args) => wallet.signTypedData(...args)
    evidence = await granteeEvidence(crew, { target: deployment, notAfterS: NOON_S + 86_400, signTypedData })
    keepers = await Promise.all([31, 32, 33].map(async person => keysOf(person)))
    offline = await shared('offline-glass')
    open = await Promise.all(
      offline.shares.map(async (bytes, index) => {
        const { share } = await openShare(p, decodeSealedShare(bytes), keepers[index]!)
        return { plan: p.sha256(offline.planBytes), index, share }
      })
    )
    record = {
      sealedReason: new Uint8Array(),
      ...{ network: patient.state.network, patient: patient.state.patient, plan: p.sha256(offline.planBytes) },
      ...{ credential, reason: osRandom(32), atMs: NOW_MS, durationS: 3600, nonce: osRandom(16) },
      ...{ author: crew.bundle.sign, evidence }
    }
  })

  beforeEach(() => {
    chain = new PaperChain()
    const { state, keys } = patient
    const keyBundle = keccak256(keys.bundleBytes) as Hex
    chain.add({ name: 'PatientRegistered', patient: toHex(state.patient), signer: toHex(state.signer), keyBundle })
    chain.add({ name: 'CredentialIssued', credential: toHex(credential), terms: BigInt(holder) })
  })

  async function shared(rule: 'glass' | 'offline-glass'): Promise<SharedOut> {
    const bundles = keepers.map(({ bundleBytes }) => ({ bundle: bundleBytes }))
    const span = { fromDay: DAY - 2, throughDay: DAY }
    return await shareEmergency(tools, patient, { rule, revision: 1, threshold: 2, keepers: bundles, ...span })
  }

  describe('on the chain', () => {
    let plan: ReturnType<typeof decodeSharePlan>

    before(async () => {
      plan = decodeSharePlan((await shared('glass')).planBytes)
    })

    const declare = (): void =>
      chain.add({
        ...{ name: 'GlassBroken', patient: toHex(plan.patient), emergency: toHex(emergency) },
        ...{
          credential: toHex(credential),
          secondCredential: `0x${'00'.repeat(32)}`,
          ...{ salt: toHex(emergency), reason: toHex(emergency) },
          expiresAt: NOON_S + 3600
        }
      })

    function ask(change: Partial<ReadRequest> = {}, nowS = NOON_S) {
      const request: ReadRequest = {
        ...{ network: plan.network, patient: plan.patient, grant: emergency, audience: new Uint8Array(4) },
        ...{ issuedAtMs: nowS * 1000, nonce: osRandom(16), author: crew.bundle.sign, evidence },
        ...change
      }
      return judgeRelease(plan, request, { deployment, chain: chain.view(), nowS, finalityS: 900 })
    }

    it('opens the shares to its responder, at once, until it is over', async () => {
      await expectCode('EMERGENCY_UNKNOWN', () => ask())
      declare()
      expect(ask()).to.deep.include({ bundle: crew.bundleBytes, address: fromHex(holder), untilS: NOON_S + 3600 })
      await expectCode('EMERGENCY_OVER', () => ask({}, NOON_S + 3600))
      chain.timeS += 60
      chain.add({ name: 'EmergencyEnded', emergency: toHex(emergency) })
      await expectCode('EMERGENCY_OVER', () => ask({}, NOON_S + 60))
    })

    it('opens them to nobody else, and no other patient’s', async () => {
      declare()
      const other = Wallet.createRandom()
      const signTypedData: DemoPatient['signTypedData'] = async (...args) => other.signTypedData(...args)
      const theirs = await granteeEvidence(crew, { target: deployment, notAfterS: NOON_S + 86_400, signTypedData })
      await expectCode('EMERGENCY_RESPONDER', () => ask({ evidence: theirs }))
      await expectCode('EVIDENCE_AUTHOR', () => ask({ author: keepers[0]!.bundle.sign }))
      await expectCode('CUSTODY_UNKNOWN', () => ask({ patient: osRandom(32) }))
      await expectCode('EMERGENCY_UNKNOWN', () => ask({ grant: osRandom(32) }))
      await expectCode('EMERGENCY_UNKNOWN', () => ask({ grant: null }))
    })
  })

  describe('without a network', () => {
    const sign = (change: Partial<GlassRecord> = {}): Uint8Array =>
      signGlassRecord(p, { ...record, ...change }, crew.signSeed)
    const plan = () => decodeSharePlan(offline.planBytes)
    const attempt = async (bytes: Uint8Array, shares = open.slice(0, 2), nowMs = NOW_MS) =>
      openOffline(tools, plan(), bytes, shares, nowMs)

    it('opens the emergency compartment and the last days of vitals by any two of three', async () => {
      for (const chosen of [
        [0, 1],
        [1, 2],
        [2, 0]
      ]) {
        const { keys } = await attempt(
          sign(),
          chosen.map(index => open[index]!)
        )
        const { generations } = patient.state
        const [emergencyKey, vitals] = keys
        expect(leafFromCover(p, emergencyKey!.cover, 3)).to.deep.equal(leafOf(p, generations.emergency[0]!.key, 3))
        expect(leafFromCover(p, vitals!.cover, DAY)).to.deep.equal(leafOf(p, generations.vitals[0]!.key, DAY))
        expect(() => leafFromCover(p, vitals!.cover, DAY - 3)).to.throw()
        expect(() => leafFromCover(p, vitals!.cover, DAY + 1)).to.throw()
        expect(keys).to.have.length(2)
      }
    })

    it('opens nothing without a record of it, signed, of these shares, and of now', async () => {
      const forged = signGlassRecord(p, record, keepers[0]!.signSeed)
      await expectCode('GLASS_RECORD_SIGNATURE', async () => attempt(forged))
      await expectCode('GLASS_RECORD_PLAN', async () => attempt(sign({ plan: osRandom(32) })))
      await expectCode('GLASS_RECORD_PATIENT', async () => attempt(sign({ patient: osRandom(32) })))
      await expectCode('GLASS_RECORD_OVER', async () => attempt(sign(), open.slice(0, 2), NOW_MS + 3_600_000))
      await expectCode('GLASS_RECORD_OVER', async () => attempt(sign(), open.slice(0, 2), NOW_MS - 1))
      await expectCode('SHARE_PLAN_EXPIRED', async () => attempt(sign(), open.slice(0, 2), (DAY + 2) * 86_400_000))
      await expectCode('GLASS_RECORD_TRUNCATED', async () => attempt(new Uint8Array()))
    })

    it('opens nothing by one share, twice the same one, a forged one, or those of another rule', async () => {
      await expectCode('SHARES_TOO_FEW', async () => attempt(sign(), open.slice(0, 1)))
      await expectCode('SHARES_TOO_FEW', async () => attempt(sign(), [open[0]!, open[0]!]))
      await expectCode('SHARE_WRONG', async () => attempt(sign(), [open[0]!, { ...open[1]!, share: osRandom(33) }]))
      const online = decodeSharePlan((await shared('glass')).planBytes)
      const of = sign({ plan: p.sha256(online.bytes) })
      await expectCode('SHARE_RULE', async () => openOffline(tools, online, of, open.slice(0, 2), NOW_MS))
    })

    it('reads a share from the patient’s card', async () => {
      const card = encodeShareCard(open[0]!)
      expect(card.length).to.be.at.most(160)
      expect(readShareCard(card)).to.deep.equal(open[0])
      await expectCode('SHARE_CARD_MALFORMED', () => readShareCard('https://example.com'))
      await expectCode('SHARE_CARD_MALFORMED', () => readShareCard('salus:card/1/%%%'))
      await expectCode('SHARE_CARD_TRUNCATED', () => readShareCard(card.slice(0, 41)))
    })

    it('is passed on when there is a network, if the chain knows the credential’s holder', () => {
      const told = (bytes: Uint8Array) => {
        const context = { p, deployment, chain: chain.view(), store: new PaperStore(), provenance: 'live' as const }
        const judgement = judge({ kind: 'glass', network: patient.state.network, record: bytes }, context)
        return judgement.verdict === 'accept' ? judgement.accepted.kind : judgement.code
      }
      expect(told(sign())).to.equal('glass')
      expect(told(sign({ credential: osRandom(32) }))).to.equal('CREDENTIAL_UNKNOWN')
      expect(told(sign({ atMs: NOW_MS + 600_000 }))).to.equal('GLASS_RECORD_FUTURE')
      expect(told(sign({ patient: osRandom(32) }))).to.equal('PATIENT_UNKNOWN')
      expect(told(signGlassRecord(p, record, keepers[0]!.signSeed))).to.equal('GLASS_RECORD_SIGNATURE')
      chain.add({ name: 'CredentialIssued', credential: toHex(credential), terms: 7n })
      expect(told(sign())).to.equal('BINDING_ADDRESS')
    })

    itRefusesBadInput({
      area: 'GLASS_RECORD',
      maxBytes: MAX_GLASS_RECORD_BYTES,
      valid: () => sign(),
      decode: decodeGlassRecord,
      elsewhere: decodeGlassRecord
    })
  })
})
