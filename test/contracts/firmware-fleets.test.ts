import { expect } from 'chai'
import { AbiCoder, ZeroHash, encodeBytes32String, id, keccak256 } from 'ethers'
import * as types from '#core/abi/typed-data/firmware.ts'
import type { TestChain } from '#test/contracts/chain.ts'
import { deviceTree } from '#test/contracts/device-tree.ts'
import { firmwareFixture } from '#test/contracts/firmware-fixture.ts'
import {
  FIRM,
  HELD,
  HIGH,
  LOW,
  MEDIUM,
  YANKED,
  accounts,
  makerOf,
  openDesk,
  type FirmwareDesk
} from '#test/contracts/firmware-requests.ts'
import { accountKey, type Key } from '#test/contracts/keys.ts'
import type { Sent } from '#test/contracts/requests.ts'

const DAYS = 86_400

describe('FirmwareRegistry: what devices and others say', () => {
  const devices = accounts('device', 16).sort((a, b) => (BigInt(a.id) < BigInt(b.id) ? -1 : 1))
  const tree = deviceTree(devices.map(device => device.id))
  let chain: TestChain
  let desk: FirmwareDesk
  const { refuse, wait } = firmwareFixture(async (opened, its) => {
    ;[chain, desk] = [opened, its]
    await desk.registerModel(MEDIUM)
    await desk.publish(await desk.terms(1))
    await chain.moveTo((await chain.now()) + 2 * DAYS)
    await desk.activate(1)
  })

  async function setDeviceKeys(count: number = devices.length, version = 1, role: 'release' | 'guard' = 'release') {
    const value = { model: desk.model, root: tree.root, devices: count, version, deadline: await chain.deadline() }
    const by = await desk.sign(role, types.deviceKeysTypes, value)
    return desk.firmware.setDeviceKeys(desk.model, tree.root, count, version, value.deadline, by)
  }
  async function failure(device: Key, changes: Record<string, unknown> = {}) {
    const deadline = await chain.deadline()
    const value = { model: desk.model, sequence: 1, round: await desk.roundOf(1), deadline, ...changes }
    const signature = await device.sign(desk.domain, types.failureTypes, value)
    const index = devices.findIndex(other => other.id === device.id)
    return { signer: device.signer, deadline: value.deadline, signature, proof: index < 0 ? [] : tree.proof(index) }
  }
  const trip = async (failing: readonly Key[], changes = {}): Sent =>
    desk.firmware.tripBreaker(desk.model, 1, await Promise.all(failing.map(device => failure(device, changes))))

  describe('setDeviceKeys', () => {
    it('keeps the newest list, each signature once', async () => {
      const sent = await setDeviceKeys()
      const now = await chain.now()
      await expect(sent).to.emit(desk.firmware, 'DeviceKeysSet').withArgs(desk.model, tree.root, 16, 1, now)
      await refuse(chain.replay(sent), 'DeviceKeysOutOfSequence', 2, 1)
      await setDeviceKeys(7, 2)
      const since = BigInt((await chain.now()) + 7 * DAYS)
      expect([...(await desk.firmware.deviceKeysOf(desk.model))]).to.deep.equal([tree.root, 7n, 2n, since])
    })

    it('lets a first list count at once and a later one in seven days, so that devices cannot be silenced', async () => {
      await setDeviceKeys()
      const silenced = { model: desk.model, root: ZeroHash, devices: 0, version: 2, deadline: await chain.deadline() }
      const by = await desk.sign('release', types.deviceKeysTypes, silenced)
      await desk.firmware.setDeviceKeys(desk.model, ZeroHash, 0, 2, silenced.deadline, by)
      const { since } = await desk.firmware.deviceKeysOf(desk.model)
      await chain.moveTo(Number(since) - 5)
      // Another list in the meantime does not bring the one before in force.
      await setDeviceKeys(30_000, 3)
      await trip(devices.slice(0, 5))
      await desk.unhold(1)
      await wait(7 * DAYS)
      await refuse(trip(devices.slice(0, 5)), 'FailuresTooFew', 5, 61)
    })

    it('lets a later list count from the very second that it is due', async () => {
      await setDeviceKeys()
      await setDeviceKeys(4000, 2)
      const { since } = await desk.firmware.deviceKeysOf(desk.model)
      await chain.moveTo(Number(since) - 2)
      await refuse(trip(devices.slice(0, 4)), 'FailuresTooFew', 4, 5)
      await chain.moveTo(Number(since) - 1)
      await refuse(trip(devices.slice(0, 5)), 'FailuresTooFew', 5, 9)
    })

    it('is for a model that there is', async () => {
      const none = { threshold: 1, ids: [], approvals: [] }
      const call = desk.firmware.setDeviceKeys(ZeroHash, ZeroHash, 0, 1, await chain.deadline(), none)
      await refuse(call, 'ModelUnknown', ZeroHash)
    })

    it('is for release keys, and not while they are replaced', async () => {
      await refuse(setDeviceKeys(1, 1, 'guard'), 'KeysetNotInForce')
      await desk.propose(makerOf())
      await refuse(setDeviceKeys(), 'ReleaseKeysFrozen')
    })
  })

  describe('tripBreaker', () => {
    beforeEach(async () => {
      await setDeviceKeys()
    })

    it('lets anybody stop what fails on enough devices, until the maker lets it go on', async () => {
      const sent = await trip(devices.slice(0, 5))
      await expect(sent)
        .to.emit(desk.firmware, 'BreakerTripped')
        .withArgs(desk.model, 1, 5)
        .and.to.emit(desk.firmware, 'ReleaseHeld')
        .withArgs(desk.model, 1, 0, FIRM)
      expect(await desk.statusOf(1)).to.equal(HELD)
      await refuse(chain.replay(sent), 'ReleaseStatusUnfit', HELD)
      await desk.unhold(1)
      await chain.moveTo((await chain.now()) + 2 * DAYS)
      const stale = trip(devices.slice(0, 5), { round: 0, deadline: await chain.deadline() })
      await refuse(stale, 'RequestSignatureInvalid')
    })

    it('counts what devices said before a guard cut the share or held the release, which anybody may have stolen', async () => {
      const deadline = (await chain.now()) + 20 * DAYS
      const failures = await Promise.all(devices.slice(0, 5).map(device => failure(device, { deadline })))
      await desk.cutRollout(1, 900)
      await desk.hold(1)
      await wait(14 * DAYS)
      await desk.firmware.tripBreaker(desk.model, 1, failures)
      expect((await desk.firmware.releaseOf(desk.model, 1)).heldUntil).to.equal(FIRM)
    })

    it('takes more devices where the fleet is larger', async () => {
      await setDeviceKeys(30_000, 2)
      await wait(7 * DAYS)
      await refuse(trip(devices.slice(0, 6)), 'FailuresTooFew', 6, 61)
      await setDeviceKeys(4000, 3)
      await wait(7 * DAYS)
      await refuse(trip(devices.slice(0, 8)), 'FailuresTooFew', 8, 9)
      await trip(devices.slice(0, 9))
    })

    for (const [name, riskClass, staged, all] of [
      ['low', LOW, 151, 601],
      ['medium', MEDIUM, 61, 601],
      ['high', HIGH, 8, 151]
    ] as const) {
      it(`takes as many as a ${name} risk allows to fail and one more, of those it was offered to`, async () => {
        const maker = makerOf({ release: { threshold: 3, keys: accounts('release', 3) } })
        const own = openDesk(chain, maker)
        await own.registerManufacturer()
        await own.registerModel(riskClass)
        await own.publish(await own.terms(1))
        await wait(3 * DAYS)
        await own.activate(1)
        const value = {
          model: own.model,
          root: tree.root,
          devices: 30_000,
          version: 1,
          deadline: await chain.deadline()
        }
        const by = await own.sign('release', types.deviceKeysTypes, value)
        await own.firmware.setDeviceKeys(own.model, tree.root, 30_000, 1, value.deadline, by)
        await refuse(own.firmware.tripBreaker(own.model, 1, []), 'FailuresTooFew', 0, staged)
        await own.raiseRollout(1, 10_000)
        await refuse(own.firmware.tripBreaker(own.model, 1, []), 'FailuresTooFew', 0, all)
      })
    }

    it('takes two for a test, where the fleet is small', async () => {
      const own = openDesk(chain, makerOf({ steward: { threshold: 0, keys: [] } }))
      await own.registerManufacturer()
      await own.registerModel()
      await own.release(1)
      await refuse(own.firmware.tripBreaker(own.model, 1, []), 'FailuresTooFew', 0, 2)
    })

    it('refuses too few, one twice, disorder and strangers', async () => {
      await refuse(trip(devices.slice(0, 4)), 'FailuresTooFew', 4, 5)
      const [first, second] = devices
      await refuse(trip([first!, first!, ...devices.slice(1, 4)]), 'DeviceOutOfOrder', first!.id)
      await refuse(trip([second!, first!, ...devices.slice(2, 5)]), 'DeviceOutOfOrder', first!.id)
      const strangers = accounts('sybil', 5).sort((a, b) => (BigInt(a.id) < BigInt(b.id) ? -1 : 1))
      await refuse(trip(strangers), 'DeviceUnknown', strangers[0]!.id)
    })

    it('refuses words about another release, late ones and malformed signers', async () => {
      const five = devices.slice(0, 5)
      await refuse(trip(five, { sequence: 2 }), 'RequestSignatureInvalid')
      await refuse(trip(five, { model: ZeroHash }), 'RequestSignatureInvalid')
      await refuse(trip(five, { deadline: 1 }), 'RequestExpired', 1)
      const failures = await Promise.all(five.map(device => failure(device)))
      failures[0]!.signer = '0x01'
      await refuse(desk.firmware.tripBreaker(desk.model, 1, failures), 'SignerMalformed', '0x01')
    })

    it('is for what devices run', async () => {
      await desk.publish(await desk.terms(2))
      await refuse(desk.firmware.tripBreaker(desk.model, 2, []), 'ReleaseStatusUnfit', 1)
      await refuse(desk.firmware.tripBreaker(desk.model, 3, []), 'ReleaseUnknown', desk.model, 3)
      await refuse(desk.firmware.tripBreaker(ZeroHash, 1, []), 'ModelUnknown', ZeroHash)
      await desk.raiseRollout(1, 10_000)
      await trip(devices.slice(0, 5))
      await desk.yank([1])
      await refuse(desk.firmware.tripBreaker(desk.model, 1, []), 'ReleaseStatusUnfit', YANKED)
    })

    it('does nothing for a model that named no devices', async () => {
      const other = openDesk(chain, makerOf({ steward: { threshold: 0, keys: [] } }))
      await other.registerManufacturer()
      await other.registerModel()
      await other.release(1)
      const failures = await Promise.all(
        devices.slice(0, 2).map(device => failure(device, { model: other.model, round: 0 }))
      )
      await refuse(other.firmware.tripBreaker(other.model, 1, failures), 'DeviceUnknown')
    })
  })

  describe('attestors', () => {
    const attestor = accountKey('attestor')
    const add = async (signer: string = attestor.signer): Sent => {
      const value = { model: desk.model, signer, deadline: await chain.deadline() }
      const by = await desk.sign('release', types.attestorAdditionTypes, value)
      return desk.firmware.addAttestor(desk.model, signer, value.deadline, by)
    }
    const remove = async (): Sent => {
      const value = { model: desk.model, attestor: attestor.id, deadline: await chain.deadline() }
      const by = await desk.sign('release', types.attestorRemovalTypes, value)
      return desk.firmware.removeAttestor(desk.model, attestor.id, value.deadline, by)
    }
    const report = async (epoch: number, key: Key = attestor, signed: Record<string, unknown> = {}): Sent => {
      const counts = { confirmed: 90, failed: 2, rolledBack: 1 }
      const value = { model: desk.model, epoch, root: id(String(epoch)), ...counts, deadline: await chain.deadline() }
      const signature = await key.sign(desk.domain, types.fleetReportTypes, { ...value, ...signed })
      return desk.firmware.anchorReport(value, key.signer, signature)
    }

    it('anchor reports with rising numbers, chained so that none is missing', async () => {
      await expect(add()).to.emit(desk.firmware, 'AttestorAdded').withArgs(desk.model, attestor.signer)
      await expect(report(3)).to.emit(desk.firmware, 'ReportAnchored')
      const sent = await report(5)
      await refuse(chain.replay(sent), 'ReportOutOfSequence', 5, 5)
      await refuse(report(4), 'ReportOutOfSequence', 5, 4)
      let head = 0n
      for (const epoch of [3, 5]) {
        const words = AbiCoder.defaultAbiCoder().encode(
          ['uint208', 'uint32', 'bytes32'],
          [head, epoch, id(String(epoch))]
        )
        head = BigInt(keccak256(words)) & (2n ** 208n - 1n)
      }
      expect([...(await desk.firmware.attestorOf(desk.model, attestor.id))]).to.deep.equal([true, 5n, head])
    })

    it('are those that release keys name, until they remove them for ever', async () => {
      await refuse(report(1), 'AttestorUnknown', attestor.id)
      await refuse(remove(), 'AttestorUnknown', attestor.id)
      const added = await add()
      await report(1)
      await refuse(add(), 'AttestorKnown', attestor.id)
      await expect(remove()).to.emit(desk.firmware, 'AttestorRemoved').withArgs(desk.model, attestor.id)
      await refuse(report(2), 'AttestorUnknown', attestor.id)
      await refuse(chain.replay(added), 'AttestorKnown', attestor.id)
      expect((await desk.firmware.attestorOf(desk.model, attestor.id)).epoch).to.equal(1n)
    })

    it('sign every field', async () => {
      await add()
      await refuse(report(1, { ...accountKey('x'), signer: attestor.signer }), 'RequestSignatureInvalid')
      for (const signed of [
        { model: ZeroHash },
        { epoch: 2 },
        { root: ZeroHash },
        { confirmed: 91 },
        { failed: 1 },
        { rolledBack: 2 },
        { deadline: 1 }
      ]) {
        await refuse(report(1, attestor, signed), 'RequestSignatureInvalid')
      }
      await refuse(add('0x01'), 'SignerMalformed', '0x01')
      await refuse(report(1, { ...attestor, signer: '0x01' }), 'SignerMalformed', '0x01')
    })
  })

  describe('advisories', () => {
    const advise = async (changes: Record<string, unknown> = {}, role: keyof FirmwareDesk['maker'] = 'guard'): Sent => {
      const terms = {
        model: desk.model,
        fromSequence: 1,
        toSequence: 1,
        vulnerability: encodeBytes32String('CVE-2026-0001'),
        impact: 1,
        documentDigest: id('document'),
        deadline: await chain.deadline(),
        ...changes
      }
      return desk.firmware.addAdvisory(terms, await desk.sign(role, types.advisoryTypes, terms))
    }

    it('are said once by release keys, a guard or stewards of a maker that is gone', async () => {
      const sent = await advise()
      await expect(sent).to.emit(desk.firmware, 'AdvisoryAdded')
      await refuse(chain.replay(sent), 'StatementKnown')
      await advise({ impact: 2 }, 'release')
      await refuse(advise({ impact: 0 }, 'steward'), 'StewardsNotNeeded')
      await refuse(advise({ impact: 0 }, 'root'), 'StewardsNotNeeded')
      await chain.moveTo((await chain.now()) + 401 * DAYS)
      await advise({ impact: 3 }, 'steward')
    })

    it('are about published releases', async () => {
      for (const [fromSequence, toSequence] of [
        [0, 1],
        [1, 2],
        [2, 1]
      ]) {
        await refuse(advise({ fromSequence, toSequence }), 'AdvisoryRangeInvalid', fromSequence, toSequence)
      }
      await refuse(advise({ model: ZeroHash }), 'ModelUnknown', ZeroHash)
      await refuse(advise({ deadline: 1 }), 'RequestExpired', 1)
    })
  })

  describe('rebuilds', () => {
    const rebuilder = accountKey('rebuilder')
    const rebuild = async (imageSha256 = id('image 1'), sequence = 1, signedImage = imageSha256): Sent => {
      const value = { model: desk.model, sequence, imageSha256: signedImage, deadline: await chain.deadline() }
      const signature = await rebuilder.sign(desk.domain, types.rebuildTypes, value)
      return desk.firmware.addRebuild(desk.model, sequence, imageSha256, value.deadline, rebuilder.signer, signature)
    }

    it('are said once by whoever built', async () => {
      await expect(rebuild())
        .to.emit(desk.firmware, 'RebuildAdded')
        .withArgs(desk.model, 1, rebuilder.signer, id('image 1'))
      await refuse(rebuild(id('another outcome')), 'StatementKnown')
    })

    it('are signed, and about a published release', async () => {
      await refuse(rebuild(id('image 1'), 1, id('x')), 'RequestSignatureInvalid')
      await refuse(rebuild(id('image 1'), 2), 'ReleaseUnknown', desk.model, 2)
      const late = desk.firmware.addRebuild(desk.model, 1, ZeroHash, 1, rebuilder.signer, '0x')
      await refuse(late, 'RequestExpired', 1)
      const deadline = await chain.deadline()
      await refuse(desk.firmware.addRebuild(desk.model, 1, ZeroHash, deadline, '0x01', '0x'), 'SignerMalformed', '0x01')
    })
  })
})
