import { expect } from 'chai'
import { ZeroAddress, ZeroHash, id } from 'ethers'
import { keysetRotationTypes } from '#core/abi/typed-data/firmware.ts'
import type { Hex } from '#core/chain/events.ts'
import { keysetDigest, keysetsDigest, manufacturerIdOf, ROLES, type Keysets } from '#core/firmware/keyset.ts'
import type { TestChain } from '#test/contracts/chain.ts'
import { firmwareFixture } from '#test/contracts/firmware-fixture.ts'
import {
  SILENCE_DAYS,
  accounts,
  keysetsOf,
  makerOf,
  quorum,
  structOf,
  type FirmwareDesk
} from '#test/contracts/firmware-requests.ts'
import { accountKey } from '#test/contracts/keys.ts'

const HOURS = 3600

describe('FirmwareRegistry: manufacturers and their keys', () => {
  let chain: TestChain
  let desk: FirmwareDesk
  const { refuse, wait } = firmwareFixture((opened, its) => {
    ;[chain, desk] = [opened, its]
  })
  const next = makerOf({
    root: { threshold: 1, keys: accounts('next root', 2) },
    release: { threshold: 1, keys: accounts('next release', 1) },
    guard: { threshold: 1, keys: accounts('next guard', 1) }
  })

  describe('registerManufacturer', () => {
    it('keeps a digest of each set, under an id made of them all', async () => {
      const { firmware, manufacturer, maker } = desk
      const keysets = keysetsOf(maker)
      const facts = await firmware.manufacturerOf(manufacturer)
      expect([facts.version, facts.rotationNonce, facts.rotationDue]).to.deep.equal([1n, 0n, 0n])
      expect(Number(facts.heartbeatAt)).to.be.within((await chain.now()) - 60, await chain.now())
      expect([...facts.keysets]).to.deep.equal(ROLES.map(role => keysetDigest(keysets[role])))
    })

    it('tells everybody the keys', async () => {
      await chain.reset()
      const keysets = keysetsOf(desk.maker)
      await expect(desk.registerManufacturer())
        .to.emit(desk.firmware, 'ManufacturerRegistered')
        .withArgs(desk.manufacturer, (told: unknown) => {
          const sets = ROLES.map(role => [BigInt(keysets[role].threshold), [...keysets[role].signers]])
          expect(plain(told)).to.deep.equal([...sets, BigInt(SILENCE_DAYS)])
          return true
        })
    })

    it('refuses the same keys and salt again, and an unknown manufacturer', async () => {
      await refuse(desk.registerManufacturer(), 'ManufacturerAlreadyRegistered', desk.manufacturer)
      await refuse(desk.firmware.manufacturerOf(ZeroHash), 'ManufacturerUnknown', ZeroHash)
      await desk.firmware.registerManufacturer(structOf(keysetsOf(desk.maker)), ZeroHash)
    })

    it('refuses sets that are empty, too large, hold one signer twice or none that can sign', async () => {
      const many = accounts('many', 17)
      const [first] = desk.maker.release.keys
      const register = (changes: Parameters<typeof makerOf>[0]): Promise<unknown> =>
        desk.firmware.registerManufacturer(structOf(keysetsOf(makerOf(changes))), id('other'))
      for (const role of ['root', 'release', 'guard'] as const) {
        await refuse(register({ [role]: { threshold: 1, keys: [] } }), 'SignerSetSizeInvalid', 0)
        await refuse(register({ [role]: { threshold: 1, keys: many } }), 'SignerSetSizeInvalid', 17)
      }
      await refuse(register({ steward: { threshold: 1, keys: many } }), 'SignerSetSizeInvalid', 17)
      const twice = [...desk.maker.release.keys, first!]
      await refuse(register({ release: { threshold: 1, keys: twice } }), 'SignerSetDuplicate', first!.signer)
      const nobody = { ...accountKey('x'), signer: ZeroAddress }
      await refuse(register({ release: { threshold: 1, keys: [nobody] } }), 'SignerMalformed', ZeroAddress)
      await register({ root: { threshold: 16, keys: many.slice(1) }, steward: { threshold: 0, keys: [] } })
    })

    it('refuses thresholds of zero, more than the set, and other than one for guards', async () => {
      const register = (changes: Parameters<typeof makerOf>[0]): Promise<unknown> =>
        desk.firmware.registerManufacturer(structOf(keysetsOf(makerOf(changes))), id('other'))
      for (const role of ['root', 'release', 'steward'] as const) {
        const { keys } = desk.maker[role]
        await refuse(register({ [role]: { threshold: 0, keys } }), 'ThresholdInvalid', 0)
        await refuse(register({ [role]: { threshold: 4, keys } }), 'ThresholdInvalid', 4)
      }
      const one = accounts('one', 1)
      await refuse(register({ root: { threshold: 0, keys: one } }), 'ThresholdInvalid', 0)
      await refuse(register({ root: { threshold: 2, keys: one } }), 'ThresholdInvalid', 2)
      await refuse(register({ steward: { threshold: 1, keys: [] } }), 'ThresholdInvalid', 1)
      const { keys } = desk.maker.guard
      await refuse(register({ guard: { threshold: 2, keys } }), 'ThresholdInvalid', 2)
      await refuse(register({ guard: { threshold: 0, keys } }), 'ThresholdInvalid', 0)
    })

    it('refuses a silence that is too short or too long', async () => {
      for (const days of [29, 3651]) {
        const struct = structOf(keysetsOf(desk.maker, days))
        await refuse(desk.firmware.registerManufacturer(struct, ZeroHash), 'SilenceInvalid', days)
      }
      for (const days of [30, 3650]) {
        await desk.firmware.registerManufacturer(structOf(keysetsOf(desk.maker, days)), ZeroHash)
      }
    })
  })

  describe('signatures of a set', () => {
    const propose = async (indices: readonly number[], changes = {}): Promise<unknown> => {
      const keysets = keysetsOf(next)
      const value = {
        manufacturer: desk.manufacturer,
        keysets: keysetsDigest(keysets),
        nonce: 0,
        deadline: await chain.deadline()
      }
      const byOld = await quorum(desk.maker.root, desk.domain, keysetRotationTypes, value, indices)
      const byNew = await quorum(next.root, desk.domain, keysetRotationTypes, value)
      return desk.firmware.proposeRotation(
        desk.manufacturer,
        structOf(keysets),
        0,
        value.deadline,
        { ...byOld, ...changes },
        byNew
      )
    }

    it('are enough of any of it, or of all', async () => {
      await propose([0, 1])
      await chain.reset()
      await desk.registerManufacturer()
      await propose([0, 1, 2])
    })

    it('are refused when they are too few, twice, in disorder or by strangers', async () => {
      await refuse(propose([]), 'ApprovalsTooFew', 0, 2)
      await refuse(propose([2]), 'ApprovalsTooFew', 1, 2)
      await refuse(propose([1, 1]), 'ApprovalOutOfOrder', 1)
      await refuse(propose([1, 0]), 'ApprovalOutOfOrder', 0)
      await refuse(propose([0, 3]), 'ApprovalSignerUnknown', 3)
    })

    it('are refused with another threshold, other ids or in another order of ids', async () => {
      const inForce = keysetDigest(keysetsOf(desk.maker).root)
      const ids = desk.maker.root.keys.map(key => key.id)
      await refuse(propose([0, 1], { threshold: 1 }), 'KeysetNotInForce', inForce)
      await refuse(propose([0, 1], { threshold: 0 }), 'KeysetNotInForce', inForce)
      await refuse(propose([0, 1], { ids: ids.slice(0, 2) }), 'KeysetNotInForce', inForce)
      await refuse(propose([0, 1], { ids: [...ids].reverse() }), 'KeysetNotInForce', inForce)
      await refuse(propose([0, 1], { ids: accounts('stranger', 3).map(key => key.id) }), 'KeysetNotInForce', inForce)
    })

    it('are refused when the bytes of a signer are not the one of its id, or none', async () => {
      const { approvals } = await desk.sign('root', keysetRotationTypes, {
        manufacturer: desk.manufacturer,
        keysets: keysetsDigest(keysetsOf(next)),
        nonce: 0,
        deadline: await chain.deadline()
      })
      for (const signer of [accountKey('stranger').signer, '0x01', `0x${'11'.repeat(84)}`]) {
        const changed = approvals.map((approval, index) => (index === 0 ? { ...approval, signer } : approval))
        await refuse(propose([0, 1], { approvals: changed }), 'ApprovalSignerUnknown', 0)
      }
      const [first, second] = desk.maker.root.keys
      // The right bytes do not make another's signature good.
      const swapped = approvals.map((approval, index) => {
        const { signature = '0x' } = approvals[1 - index] ?? {}
        return { ...approval, signer: [first, second][index]!.signer, signature }
      })
      await refuse(propose([0, 1], { approvals: swapped }), 'ApprovalSignatureInvalid', 0)
      const named = approvals.map((approval, index) =>
        index === 0 ? { ...approval, signer: first!.signer } : approval
      )
      await propose([0, 1], { approvals: named })
    })
  })

  describe('rotation', () => {
    it('comes in force 48 hours later, and no release key counts until then', async () => {
      const { firmware, manufacturer } = desk
      await expect(desk.propose(next)).to.emit(firmware, 'RotationProposed')
      const { rotationDue, rotationNonce, frozenUntil } = await firmware.manufacturerOf(manufacturer)
      expect([Number(rotationDue), rotationNonce]).to.deep.equal([(await chain.now()) + 48 * HOURS, 1n])
      await refuse(desk.registerModel(), 'ReleaseKeysFrozen', frozenUntil)
      await refuse(desk.heartbeat(), 'ReleaseKeysFrozen', frozenUntil)

      const keysets = structOf(keysetsOf(next))
      await chain.moveTo(Number(rotationDue) - 2)
      await refuse(firmware.completeRotation(manufacturer, keysets), 'RotationNotDue', rotationDue)
      await chain.moveTo(Number(rotationDue))
      await expect(firmware.completeRotation(manufacturer, keysets))
        .to.emit(firmware, 'KeysetsRotated')
        .withArgs(manufacturer, 2)
      const facts = await firmware.manufacturerOf(manufacturer)
      expect([facts.version, facts.rotationDue]).to.deep.equal([2n, 0n])
      expect([...facts.keysets]).to.deep.equal(ROLES.map(role => keysetDigest(keysetsOf(next)[role])))
      await refuse(firmware.completeRotation(manufacturer, keysets), 'RotationNotProposed')
    })

    it('needs the old threshold and the new one', async () => {
      await refuse(desk.propose(next, []), 'ApprovalsTooFew', 0, 1)
      const keysets = keysetsOf(next)
      const value = {
        manufacturer: desk.manufacturer,
        keysets: keysetsDigest(keysets),
        nonce: 0,
        deadline: await chain.deadline()
      }
      const byNew = await quorum(next.root, desk.domain, keysetRotationTypes, value)
      for (const role of ['release', 'guard', 'steward'] as const) {
        const byOther = await desk.sign(role, keysetRotationTypes, value)
        const call = desk.firmware.proposeRotation(
          desk.manufacturer,
          structOf(keysets),
          0,
          value.deadline,
          byOther,
          byNew
        )
        await refuse(call, 'KeysetNotInForce', keysetDigest(keysetsOf(desk.maker).root))
      }
    })

    it('can be cancelled, and its signatures never come back', async () => {
      const { firmware, manufacturer } = desk
      await refuse(desk.cancelRotation(), 'RotationNotProposed')
      const sent = await desk.propose(next)
      await expect(desk.cancelRotation()).to.emit(firmware, 'RotationCancelled').withArgs(manufacturer)
      await refuse(firmware.completeRotation(manufacturer, structOf(keysetsOf(next))), 'RotationNotProposed')
      const replayed = chain.replay(sent)
      await refuse(replayed, 'RotationOutOfSequence', 2, 0)
      await desk.registerModel()
    })

    it('puts in force exactly what was signed', async () => {
      const { firmware, manufacturer } = desk
      await desk.propose(next)
      await chain.moveTo((await chain.now()) + 48 * HOURS + 1)
      const other: Keysets = { ...keysetsOf(next), silenceDays: 30 }
      await refuse(firmware.completeRotation(manufacturer, structOf(other)), 'RotationNotProposed')
    })

    it('can be proposed anew, which starts the time anew', async () => {
      const { firmware, manufacturer } = desk
      await desk.propose(next)
      await chain.moveTo((await chain.now()) + 47 * HOURS)
      await desk.propose(makerOf())
      await chain.moveTo((await chain.now()) + 2 * HOURS)
      await refuse(firmware.completeRotation(manufacturer, structOf(keysetsOf(next))), 'RotationNotProposed')
      await refuse(firmware.completeRotation(manufacturer, structOf(keysetsOf(makerOf()))), 'RotationNotDue')
    })

    it('freezes the release keys for seven days at most, and then not for fourteen, whatever is proposed', async () => {
      const { firmware, manufacturer } = desk
      await desk.registerModel()
      const sent = await desk.propose(next)
      const start = await chain.now()
      const frozenUntil = start + 7 * 24 * HOURS
      await expect(sent).to.emit(firmware, 'RotationProposed')
      const rotation = await firmware.manufacturerOf(manufacturer)
      expect(Number(rotation.frozenUntil)).to.equal(frozenUntil)
      await chain.moveTo(start + 6 * 24 * HOURS)
      await desk.cancelRotation()
      await desk.heartbeat()
      await desk.propose(next)
      await chain.moveTo(frozenUntil - 2)
      await refuse(desk.heartbeat(), 'ReleaseKeysFrozen', frozenUntil)
      await chain.moveTo(frozenUntil - 1)
      await desk.heartbeat()
      expect(await chain.now()).to.equal(frozenUntil)
      const thawedUntil = frozenUntil + 14 * 24 * HOURS
      await chain.moveTo(thawedUntil - 2)
      await desk.propose(next)
      expect((await firmware.manufacturerOf(manufacturer)).frozenUntil).to.equal(frozenUntil)
      await desk.propose(next)
      expect(await chain.now()).to.equal(thawedUntil)
      await refuse(desk.heartbeat(), 'ReleaseKeysFrozen', thawedUntil + 7 * 24 * HOURS)
    })

    it('that comes in force lets the next one freeze again', async () => {
      const { firmware, manufacturer } = desk
      await desk.propose(makerOf())
      await wait(48 * HOURS)
      await firmware.completeRotation(manufacturer, structOf(keysetsOf(makerOf())))
      expect((await firmware.manufacturerOf(manufacturer)).frozenUntil).to.equal(0n)
      await desk.propose(next)
      await refuse(desk.heartbeat(), 'ReleaseKeysFrozen', (await chain.now()) + 7 * 24 * HOURS)
    })

    it('leaves the ids of manufacturer and models as they are', async () => {
      await desk.registerModel()
      await desk.propose(next)
      await chain.moveTo((await chain.now()) + 49 * HOURS)
      await desk.firmware.completeRotation(desk.manufacturer, structOf(keysetsOf(next)))
      expect(await desk.firmware.makerOf(desk.model)).to.equal(desk.manufacturer)
      expect(manufacturerIdOf(keysetsOf(next), id('salt') as Hex)).to.not.equal(desk.manufacturer)
    })
  })

  describe('heartbeat', () => {
    it('is noted, and each signature counts once', async () => {
      await chain.moveTo((await chain.now()) + 100)
      const sent = await desk.heartbeat()
      await expect(sent).to.emit(desk.firmware, 'Heartbeat').withArgs(desk.manufacturer)
      const { heartbeatAt } = await desk.firmware.manufacturerOf(desk.manufacturer)
      expect(Number(heartbeatAt)).to.equal(await chain.now())
      await refuse(chain.replay(sent), 'HeartbeatStale', heartbeatAt)
    })
  })
})

/** ethers' results as plain lists. */
function plain(value: unknown): unknown {
  return typeof value === 'object' && value != null ? Array.from(value as Iterable<unknown>, plain) : value
}
