import { expect } from 'chai'
import { ZeroHash, id } from 'ethers'
import { researchAccessTypes } from '#core/abi/typed-data/research.ts'
import { openChain, type TestChain } from '#test/contracts/chain.ts'
import { accountKey } from '#test/contracts/keys.ts'
import { refusalBy } from '#test/contracts/refusal.ts'
import {
  SCHEME,
  USE,
  accessIdOf,
  openReleaseDesk,
  schemeIdOf,
  type ReleaseDesk
} from '#test/contracts/release-requests.ts'
import { otherDomains, withHighS } from '#test/contracts/research-contracts.ts'

const { NRES, GRU, HMB, DS, POA, NCU, NPU, NPUNCU, NMDS, NPOA, IRB, NRI, NOLINK, T1, CC } = USE
const { METHODS, CONTROL_SET, COMMERCIAL, CLINICAL_CARE } = USE

/** Which kinds of research each permission covers. */
const COVERED: readonly (readonly [permission: number, kinds: readonly number[]])[] = [
  [NRES, [GRU, HMB, DS, POA]],
  [GRU, [GRU, HMB, DS, POA]],
  [HMB, [HMB, DS]],
  [DS, [DS]],
  [POA, [POA]]
]
const KINDS = [GRU, HMB, DS, POA]

/** What a limit rules out, under every permission but those named. */
const LIMITS: readonly (readonly [limit: number, ruledOut: number, except: readonly number[]])[] = [
  [NCU, COMMERCIAL, []],
  [NPU, COMMERCIAL, []],
  [NPUNCU, COMMERCIAL, []],
  [NMDS, METHODS, [DS]]
]

describe('access to research releases', () => {
  const stewards = ['steward 0', 'steward 1', 'steward 2'].map(accountKey)
  const [researcher, stranger] = [accountKey('researcher'), accountKey('stranger')]
  let chain: TestChain
  let desk: ReleaseDesk
  before(async () => {
    chain = await openChain()
  })
  beforeEach(async () => {
    desk = openReleaseDesk(chain, stewards, 2)
    await desk.open()
    await desk.publish(await desk.terms(1))
  })
  afterEach(() => chain.reset())
  after(() => chain.close())

  const refuse = refusalBy(() => desk.releases)
  const isLive = async (access: string, time?: number): Promise<boolean> =>
    desk.releases.isAccessLive(access, time ?? (await chain.now()))

  describe('grantAccess', () => {
    it('gives one researcher one release until it expires', async () => {
      const terms = await desk.accessTerms(researcher)
      const access = accessIdOf(terms)
      expect(await isLive(access)).to.equal(false)
      await expect(desk.grant(terms, researcher))
        .to.emit(desk.releases, 'AccessGranted')
        .withArgs(access, 1, researcher.signer, terms.agreement, terms.purpose, terms.expiresAt)
      expect([...(await desk.releases.accessOf(access))]).to.deep.equal([
        researcher.id,
        BigInt(terms.expiresAt),
        false,
        1n
      ])
      expect(await isLive(access)).to.equal(true)
      expect(await isLive(access, Number(terms.expiresAt) - 1)).to.equal(true)
      expect(await isLive(access, Number(terms.expiresAt))).to.equal(false)
      await refuse(desk.grant(terms, researcher), 'AccessAlreadyGiven', access)
    })

    it('takes both sides: a threshold of stewards, and the researcher who accepts', async () => {
      const terms = await desk.accessTerms(researcher)
      await refuse(desk.grant(terms, researcher, [0]), 'ApprovalsTooFew', 1, 2)
      await refuse(desk.grant(terms, stranger), 'SignerNotTheOne', researcher.id)
      const approvals = await desk.sign(researchAccessTypes, terms)
      const accept = (acceptance: string): Promise<unknown> =>
        desk.releases.grantAccess(terms, desk.set, approvals, researcher.signer, acceptance)
      const domains = otherDomains(chain, 'ReleaseRegistry')
      for (const where of domains)
        await refuse(accept(await researcher.sign(where, researchAccessTypes, { ...terms })), 'RequestSignatureInvalid')
      const good = await researcher.sign(chain.domainOf('ReleaseRegistry'), researchAccessTypes, { ...terms })
      await refuse(accept(withHighS(good)), 'RequestSignatureInvalid')
      await refuse(accept('0x'), 'RequestSignatureInvalid')
      await accept(good)
    })

    it('refuses each field changed after it was signed', async () => {
      const terms = await desk.accessTerms(researcher)
      const approvals = await desk.sign(researchAccessTypes, terms)
      const changes = {
        agreement: id('x'),
        purpose: DS | NRI,
        expiresAt: Number(terms.expiresAt) + 1,
        deadline: Number(terms.deadline) + 1,
        researcher: stranger.id
      }
      for (const [field, value] of Object.entries(changes)) {
        const call = desk.releases.grantAccess({ ...terms, [field]: value }, desk.set, approvals, '0x', '0x')
        await refuse(call, 'ApprovalSignatureInvalid', 0)
      }
    })

    it('refuses an end that has passed or is more than five years ahead, no agreement, and a late request', async () => {
      const next = (await chain.now()) + 1
      await refuse(desk.grant(await desk.accessTerms(researcher, { expiresAt: next }), researcher), 'AccessMalformed')
      const last = next + 1 + 5 * 365 * 86_400
      await refuse(
        desk.grant(await desk.accessTerms(researcher, { expiresAt: last + 1 }), researcher),
        'AccessMalformed'
      )
      await chain.moveTo(next)
      await desk.grant(await desk.accessTerms(researcher, { expiresAt: last, agreement: id('long') }), researcher)
      const none = await desk.accessTerms(researcher, { agreement: ZeroHash })
      await refuse(desk.grant(none, researcher), 'AccessMalformed')
      await refuse(desk.grant(await desk.accessTerms(researcher, { deadline: 1 }), researcher), 'RequestExpired', 1)
      await desk.grant(await desk.accessTerms(researcher, { expiresAt: (await chain.now()) + 2 }), researcher)
    })

    it('refuses a purpose for which nobody gave data', async () => {
      for (const purpose of [NRI, HMB, HMB | GRU | NRI, HMB | NRI | CLINICAL_CARE, HMB | NRI | NRES])
        await refuse(
          desk.grant(await desk.accessTerms(researcher, { purpose }), researcher),
          'PurposeNotAllowed',
          GRU | NRI,
          purpose
        )
    })

    it('refuses releases that are public, unknown, held or withdrawn', async () => {
      const open = { ...SCHEME, tier: 1, minimumK: 20 }
      await desk.releases.addScheme(open)
      await desk.publish(await desk.terms(2, { scheme: schemeIdOf(open), tier: 1, k: 20, dataUse: GRU | NRI | T1 }))
      for (const release of [2, 3])
        await refuse(
          desk.grant(await desk.accessTerms(researcher, { release }), researcher),
          'ReleaseGivesNoAccess',
          release
        )
      await desk.hold(1)
      await refuse(desk.grant(await desk.accessTerms(researcher), researcher), 'ReleaseGivesNoAccess', 1)
      await desk.withdraw(1)
      await refuse(desk.grant(await desk.accessTerms(researcher), researcher), 'ReleaseGivesNoAccess', 1)
    })

    it('stops while the contract is paused', async () => {
      await desk.releases.pause()
      await refuse(desk.grant(await desk.accessTerms(researcher), researcher), 'EnforcedPause')
    })
  })

  describe('an access', () => {
    it('rests while its release is held and ends when it is withdrawn', async () => {
      const terms = await desk.accessTerms(researcher)
      await desk.grant(terms, researcher)
      await desk.hold(1)
      expect(await isLive(accessIdOf(terms))).to.equal(false)
      await desk.letGo(1)
      expect(await isLive(accessIdOf(terms))).to.equal(true)
      await desk.withdraw(1)
      expect(await isLive(accessIdOf(terms))).to.equal(false)
    })

    it('is revoked by one steward, for ever, also while the contract is paused', async () => {
      const terms = await desk.accessTerms(researcher)
      await desk.grant(terms, researcher)
      await desk.releases.pause()
      await expect(desk.revoke(accessIdOf(terms), 2))
        .to.emit(desk.releases, 'AccessRevoked')
        .withArgs(accessIdOf(terms))
      await desk.releases.unpause()
      expect(await isLive(accessIdOf(terms))).to.equal(false)
      await refuse(desk.revoke(accessIdOf(terms)), 'AccessIsRevoked', accessIdOf(terms))
      await refuse(desk.grant(terms, researcher), 'AccessIsRevoked', accessIdOf(terms))
      const other = await desk.accessTerms(researcher, { agreement: id('another salt') })
      await desk.grant(other, researcher)
      expect(await isLive(accessIdOf(other))).to.equal(true)
    })

    it('can be revoked before a relayer who held it back submits it', async () => {
      const terms = await desk.accessTerms(researcher)
      await desk.revoke(accessIdOf(terms))
      await refuse(desk.grant(terms, researcher), 'AccessIsRevoked', accessIdOf(terms))
      const approval = { index: 0, signer: stewards[0]!.signer, signature: '0x' }
      await refuse(desk.releases.revokeAccess(id('x'), 1, desk.set, approval), 'RequestExpired', 1)
      const deadline = await chain.deadline()
      await refuse(desk.releases.revokeAccess(id('x'), deadline, desk.set, approval), 'ApprovalSignatureInvalid', 0)
      const loose = { ...desk.set, threshold: 1 }
      await refuse(desk.releases.revokeAccess(id('x'), deadline, loose, approval), 'SignerSetMismatch')
    })
  })

  describe('terms of use', () => {
    const allows = (use: number, purpose: number): Promise<boolean> => desk.releases.isPurposeAllowed(use, purpose)

    it('cover the kinds of research that the permission names, and no others', async () => {
      for (const [permission, kinds] of COVERED)
        for (const kind of KINDS) {
          const row = `permission ${String(permission)}, kind ${String(kind)}`
          expect(await allows(permission | NRI, kind | NRI), row).to.equal(kinds.includes(kind))
          expect(await allows(permission | NRI | NPOA, kind | NRI), row).to.equal(kinds.includes(kind) && kind !== POA)
        }
    })

    it('rule out what a limit names', async () => {
      for (const [permission, kinds] of COVERED)
        for (const kind of kinds)
          for (const [limit, ruledOut, except] of LIMITS) {
            const row = `permission ${String(permission)}, kind ${String(kind)}, limit ${String(limit)}`
            expect(await allows(permission | limit | NRI, kind | NRI), row).to.equal(true)
            expect(await allows(permission | NRI, kind | NRI | ruledOut), row).to.equal(true)
            const expected = except.includes(permission)
            expect(await allows(permission | limit | NRI, kind | NRI | ruledOut), row).to.equal(expected)
          }
    })

    it('give a control set and clinical care only where they were given', async () => {
      for (const [permission, kinds] of COVERED)
        for (const kind of kinds) {
          const row = `permission ${String(permission)}, kind ${String(kind)}`
          const general = [NRES, GRU, HMB].includes(permission)
          expect(await allows(permission | NRI, kind | NRI | CONTROL_SET), row).to.equal(general)
          expect(await allows(permission | NRI, kind | NRI | CLINICAL_CARE), row).to.equal(false)
          expect(await allows(permission | NRI | CC, kind | NRI | CLINICAL_CARE), row).to.equal(true)
        }
    })

    it('take every duty that was attached, and do not mind more', async () => {
      for (let duty = IRB; duty <= NOLINK; duty <<= 1) {
        if (duty === NRI) continue
        expect(await allows(GRU | NRI | duty, HMB | NRI), String(duty)).to.equal(false)
        expect(await allows(GRU | NRI | duty, HMB | NRI | duty), String(duty)).to.equal(true)
        expect(await allows(GRU | NRI, HMB | NRI | duty), String(duty)).to.equal(true)
      }
    })

    it('never allow to find out who is who, nor what no bit stands for', async () => {
      expect(await allows(GRU, HMB | NRI)).to.equal(false)
      expect(await allows(GRU | NRI, HMB)).to.equal(false)
      expect(await allows(GRU | NRI | METHODS, HMB | NRI)).to.equal(false)
      expect(await allows(GRU | NRI, HMB | NRI | NCU)).to.equal(false)
      expect(await allows(GRU | NRI, HMB | NRI | T1)).to.equal(false)
      expect(await allows(GRU | NRI, HMB | NRI | (1 << 30))).to.equal(false)
      expect(await allows(GRU | HMB | NRI, HMB | NRI)).to.equal(false)
      expect(await allows(NRI, HMB | NRI)).to.equal(false)
    })
  })
})
