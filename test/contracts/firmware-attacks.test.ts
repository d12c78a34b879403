import { expect } from 'chai'
import { ZeroAddress, ZeroHash, concat, getBytes, hexlify, id, keccak256, toBeHex, type TypedDataDomain } from 'ethers'
import * as types from '#core/abi/typed-data/firmware.ts'
import type { TypedDataTypes } from '#core/abi/typed-data/domain.ts'
import type { Hex } from '#core/chain/events.ts'
import { keysetDigest, keysetsDigest } from '#core/firmware/keyset.ts'
import { openChain, type TestChain } from '#test/contracts/chain.ts'
import {
  HELD,
  MANIFEST,
  MEDIUM,
  PUBLISHED,
  YANKED,
  accounts,
  makerOf,
  openDesk,
  quorum,
  structOf,
  tupleOf,
  keysetsOf,
  type FirmwareDesk,
  type KeySet,
  type Maker,
  type Quorum
} from '#test/contracts/firmware-requests.ts'
import { accountKey, payingKey } from '#test/contracts/keys.ts'

const DAYS = 86_400
const ATTESTOR = accountKey('attestor').signer
const LAST = { threshold: 1, signers: [accountKey('last').signer as Hex] }
const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n

/** A request: who signs what, and how it is sent. */
interface Attacked {
  readonly name: string
  readonly role: keyof Maker
  readonly struct: TypedDataTypes
  value(desk: FirmwareDesk, deadline: number): Promise<Record<string, unknown>> | Record<string, unknown>
  send(desk: FirmwareDesk, value: Record<string, never>, by: Quorum): Promise<unknown>
}

describe('FirmwareRegistry: attacks', () => {
  let chain: TestChain
  let desk: FirmwareDesk
  before(async () => {
    chain = await openChain()
  })
  beforeEach(async () => {
    desk = openDesk(chain)
    await desk.registerManufacturer()
    await desk.registerModel(MEDIUM)
    for (const sequence of [1, 2]) await desk.publish(await desk.terms(sequence))
    await chain.moveTo((await chain.now()) + 2 * DAYS)
    await desk.activate(1)
    await desk.raiseRollout(1, 10_000)
    await desk.activate(2)
  })
  afterEach(() => chain.reset())
  after(() => chain.close())

  const about = (desk_: FirmwareDesk, sequence: number, deadline: number) => ({
    model: desk_.model,
    sequence,
    revision: 0,
    deadline
  })
  /** What signatures about a release that is held say of it. */
  const held = async (desk_: FirmwareDesk, deadline: number): Promise<Record<string, unknown>> => {
    if ((await desk_.statusOf(2)) !== HELD) await desk_.hold(2)
    return { ...about(desk_, 2, deadline), revision: await desk_.revisionOf(2) }
  }
  const requests: readonly Attacked[] = [
    {
      name: 'publish',
      role: 'release',
      struct: types.releaseTypes,
      value: (d, deadline) => d.terms(3, { deadline }).then(terms => ({ ...terms })),
      send: (d, value, by) => d.firmware.publish(value as never, MANIFEST, by)
    },
    {
      name: 'raiseRollout',
      role: 'release',
      struct: types.rolloutRaiseTypes,
      value: (d, deadline) => ({ ...about(d, 2, deadline), bps: 5000 }),
      send: (d, v, by) => d.firmware.raiseRollout(v['model']!, v['sequence']!, v['bps']!, v['deadline']!, by)
    },
    {
      name: 'cutRollout',
      role: 'guard',
      struct: types.rolloutCutTypes,
      value: (d, deadline) => ({ ...about(d, 2, deadline), bps: 10 }),
      send: (d, v, by) => d.firmware.cutRollout(v['model']!, v['sequence']!, v['bps']!, v['deadline']!, by)
    },
    {
      name: 'raiseMinimum',
      role: 'release',
      struct: types.minimumRaiseTypes,
      value: (d, deadline) => ({ model: d.model, minimumSequence: 1, mandatoryBy: 5, deadline }),
      send: (d, v, by) =>
        d.firmware.raiseMinimum(v['model']!, v['minimumSequence']!, v['mandatoryBy']!, v['deadline']!, by)
    },
    {
      name: 'hold',
      role: 'guard',
      struct: types.holdTypes,
      value: (d, deadline) => ({ ...about(d, 2, deadline), reason: 3 }),
      send: (d, v, by) => d.firmware.hold(v['model']!, v['sequence']!, v['reason']!, v['deadline']!, by)
    },
    {
      name: 'yank',
      role: 'guard',
      struct: types.yankTypes,
      value: (d, deadline) => ({ model: d.model, imageSha256: id('image 2'), reason: 3, deadline }),
      send: (d, v, by) =>
        d.firmware.yank(v['model']!, v['imageSha256']!, v['reason']!, v['deadline']!, by, [
          { sequence: 2, manifestDigest: keccak256(MANIFEST) }
        ])
    },
    {
      name: 'heartbeat',
      role: 'release',
      struct: types.heartbeatSignTypes,
      value: async (d, deadline) => {
        const { heartbeatAt: previous } = await d.firmware.manufacturerOf(d.manufacturer)
        return { manufacturer: d.manufacturer, previous, deadline }
      },
      send: (d, v, by) => d.firmware.heartbeat(v['manufacturer']!, v['previous']!, v['deadline']!, by)
    },
    {
      name: 'setDeviceKeys',
      role: 'release',
      struct: types.deviceKeysTypes,
      value: (d, deadline) => ({ model: d.model, root: id('root'), devices: 5, version: 1, deadline }),
      send: (d, v, by) =>
        d.firmware.setDeviceKeys(v['model']!, v['root']!, v['devices']!, v['version']!, v['deadline']!, by)
    },
    {
      name: 'addAdvisory',
      role: 'guard',
      struct: types.advisoryTypes,
      value: (d, deadline) => ({
        model: d.model,
        fromSequence: 1,
        toSequence: 2,
        vulnerability: id('vulnerability'),
        impact: 1,
        documentDigest: id('document'),
        deadline
      }),
      send: (d, v, by) => d.firmware.addAdvisory(v as never, by)
    },
    {
      name: 'registerModel',
      role: 'release',
      struct: types.modelRegistrationTypes,
      value: ({ manufacturer }, deadline) => ({
        manufacturer,
        modelClass: id('another class'),
        riskClass: 1,
        slotMiB: 64,
        deadline
      }),
      send: (d, v, by) =>
        d.firmware.registerModel(
          v['manufacturer']!,
          v['modelClass']!,
          v['riskClass']!,
          v['slotMiB']!,
          v['deadline']!,
          by
        )
    },
    {
      name: 'confirmHold',
      role: 'release',
      struct: types.holdConfirmationTypes,
      value: held,
      send: (d, v, by) => d.firmware.confirmHold(v['model']!, v['sequence']!, v['deadline']!, by)
    },
    {
      name: 'unhold',
      role: 'release',
      struct: types.unholdTypes,
      value: async (d, deadline) => ({ ...(await held(d, deadline)), reason: 3 }),
      send: (d, v, by) => d.firmware.unhold(v['model']!, v['sequence']!, v['reason']!, v['deadline']!, by)
    },
    {
      name: 'sunset',
      role: 'root',
      struct: types.sunsetTypes,
      value: ({ model }, deadline) => ({ model, finalSequence: 2, stewards: keysetDigest(LAST), deadline }),
      send: (d, v, by) => d.firmware.sunset(v['model']!, v['finalSequence']!, tupleOf(LAST), v['deadline']!, by)
    },
    {
      name: 'cancelRotation',
      role: 'root',
      struct: types.rotationCancellationTypes,
      value: async (d, deadline) => {
        if ((await d.firmware.manufacturerOf(d.manufacturer)).rotationDue === 0n) await d.propose(makerOf())
        const { rotationNonce: nonce } = await d.firmware.manufacturerOf(d.manufacturer)
        return { manufacturer: d.manufacturer, nonce, deadline }
      },
      send: (d, v, by) => d.firmware.cancelRotation(v['manufacturer']!, v['deadline']!, by)
    },
    {
      name: 'addAttestor',
      role: 'release',
      struct: types.attestorAdditionTypes,
      value: ({ model }, deadline) => ({ model, signer: ATTESTOR, deadline }),
      send: (d, v, by) => d.firmware.addAttestor(v['model']!, v['signer']!, v['deadline']!, by)
    },
    {
      name: 'removeAttestor',
      role: 'release',
      struct: types.attestorRemovalTypes,
      value: async (d, deadline) => {
        const { model, firmware } = d
        if (!(await firmware.attestorOf(model, ATTESTOR)).isAllowed) {
          const addition = { model, signer: ATTESTOR, deadline: await chain.deadline() }
          const by = await d.sign('release', types.attestorAdditionTypes, addition)
          await firmware.addAttestor(model, ATTESTOR, addition.deadline, by)
        }
        return { model, attestor: ATTESTOR, deadline }
      },
      send: (d, v, by) => d.firmware.removeAttestor(v['model']!, v['attestor']!, v['deadline']!, by)
    }
  ]

  const signed = async (request: Attacked, domain: TypedDataDomain, value: Record<string, unknown>): Promise<Quorum> =>
    quorum(desk.maker[request.role], domain, request.struct, value)
  const refused = (call: Promise<unknown>): Promise<unknown> =>
    expect(call).to.be.revertedWithCustomError(desk.firmware, 'ApprovalSignatureInvalid')

  for (const request of requests) {
    describe(`a signature to ${request.name}`, () => {
      it('counts on its chain and contract alone', async () => {
        const value = await request.value(desk, await chain.deadline())
        for (const change of [
          { chainId: 1 },
          { verifyingContract: await chain.otherContracts.firmware.getAddress() },
          { verifyingContract: ZeroAddress },
          { name: 'Salus BatchAnchors' },
          { version: '2' }
        ]) {
          const by = await signed(request, { ...desk.domain, ...change }, value)
          await refused(request.send(desk, value as never, by))
        }
        await request.send(desk, value as never, await signed(request, desk.domain, value))
      })

      it('counts for every field as it was signed', async () => {
        const value = await request.value(desk, await chain.deadline())
        for (const [field, present] of Object.entries(value)) {
          const isWord = typeof present === 'string'
          const other = isWord ? id('another').slice(0, present.length) : BigInt(present as number) + 1n
          const by = await signed(request, desk.domain, { ...value, [field]: other })
          await refused(request.send(desk, value as never, by))
        }
      })

      it('does not count with its s turned over, cut short or empty', async () => {
        const value = await request.value(desk, await chain.deadline())
        const by = await signed(request, desk.domain, value)
        for (const forge of [turnOver, (signature: string) => signature.slice(0, -2), () => '0x', () => ZeroHash]) {
          const [first, ...others] = by.approvals
          const forged = { ...first!, signature: forge(hexlify(getBytes(String(first!.signature)))) }
          await refused(request.send(desk, value as never, { ...by, approvals: [forged, ...others] }))
        }
      })

      it('is bound in time', async () => {
        const late = await request.value(desk, 1)
        const far = await request.value(desk, (await chain.now()) + 31 * DAYS)
        await expect(
          request.send(desk, late as never, await signed(request, desk.domain, late))
        ).to.be.revertedWithCustomError(desk.firmware, 'RequestExpired')
        await expect(
          request.send(desk, far as never, await signed(request, desk.domain, far))
        ).to.be.revertedWithCustomError(desk.firmware, 'RequestDeadlineTooFar')
      })

      it('does not count by any other role, and not by the same keys of another maker', async () => {
        const value = await request.value(desk, await chain.deadline())
        const allowed = request.name === 'addAdvisory' ? ['guard', 'release'] : [request.role]
        const others = (['root', 'release', 'guard', 'steward'] as const).filter(role => !allowed.includes(role))
        for (const role of others) {
          const by = await quorum(desk.maker[role], desk.domain, request.struct, value)
          await expectRefusal(request.send(desk, value as never, by))
        }
      })
    })
  }

  it('a rotation takes the old root keys and the new, each over exactly these keys', async () => {
    const { firmware, manufacturer, domain, maker } = desk
    const next = makerOf({ root: { threshold: 2, keys: accounts('fresh root', 2) } })
    const { rotationNonce: nonce } = await firmware.manufacturerOf(manufacturer)
    const value = { manufacturer, keysets: keysetsDigest(keysetsOf(next)), nonce, deadline: await chain.deadline() }
    const sign = (keys: KeySet, changes: Record<string, unknown> = {}): Promise<Quorum> =>
      quorum(keys, domain, types.keysetRotationTypes, { ...value, ...changes })
    const send = (byOld: Quorum, byNew: Quorum): Promise<unknown> =>
      firmware.proposeRotation(manufacturer, structOf(keysetsOf(next)), nonce, value.deadline, byOld, byNew)
    const [byOld, byNew] = [await sign(maker.root), await sign(next.root)]
    for (const changes of [{ keysets: id('others') }, { nonce: nonce + 1n }, { manufacturer: id('another') }]) {
      await refused(send(await sign(maker.root, changes), byNew))
      await refused(send(byOld, await sign(next.root, changes)))
    }
    for (const keys of [next.root, maker.release, maker.guard]) await expectRefusal(send(await sign(keys), byNew))
    for (const keys of [maker.root, next.release, next.guard]) await expectRefusal(send(byOld, await sign(keys)))
    await send(byOld, byNew)
  })

  it('a report counts by its attestor alone, as it was signed', async () => {
    const { firmware, model, domain } = desk
    const addition = { model, signer: ATTESTOR, deadline: await chain.deadline() }
    const by = await desk.sign('release', types.attestorAdditionTypes, addition)
    await firmware.addAttestor(model, ATTESTOR, addition.deadline, by)
    const counts = { confirmed: 9, failed: 2, rolledBack: 1 }
    const report = { model, epoch: 1, root: id('reports'), ...counts, deadline: await chain.deadline() }
    const key = accountKey('attestor')
    for (const field of Object.keys(counts)) {
      const signature = await key.sign(domain, types.fleetReportTypes, { ...report, [field]: 1000 })
      const sent = firmware.anchorReport(report, ATTESTOR, signature)
      await expect(sent).to.be.revertedWithCustomError(firmware, 'RequestSignatureInvalid')
    }
    const stranger = accountKey('stranger')
    const signature = await stranger.sign(domain, types.fleetReportTypes, report)
    await expect(firmware.anchorReport(report, ATTESTOR, signature)).to.be.revertedWithCustomError(
      firmware,
      'RequestSignatureInvalid'
    )
    await firmware.anchorReport(report, ATTESTOR, await key.sign(domain, types.fleetReportTypes, report))
  })

  describe('a guard that is a hostile contract', () => {
    for (const trick of ['00', '01', '02', '03', '04', '05', '06']) {
      it(`stops nothing by trick ${trick}`, async () => {
        const hostile = await chain.deployMock('HostileGuard', await desk.firmware.getAddress())
        const key = { ...accountKey('hostile'), signer: hostile.toLowerCase(), id: hostile }
        const own = openDesk(chain, makerOf({ guard: { threshold: 1, keys: [key] } }))
        await own.registerManufacturer()
        await own.registerModel()
        await own.publish(await own.terms(1))
        const again = own.firmware.interface.encodeFunctionData('spreadYank', [own.model, ZeroHash, []])
        const signature = concat([`0x${trick}`, trick === '02' ? again : '0x'])
        const by = { threshold: 1, ids: [hostile], approvals: [{ index: 0, signer: '0x', signature }] }
        const held = own.firmware.hold(own.model, 1, 0, await chain.deadline(), by, { gasLimit: 3_000_000 })
        await expectRefusal(held)
        expect(await own.statusOf(1)).to.equal(PUBLISHED)
      })
    }
  })

  describe('stolen keys', () => {
    it('one release key publishes nothing, and one signature does not count twice', async () => {
      const terms = await desk.terms(3)
      const { approvals, ...set } = await quorum(desk.maker.release, desk.domain, types.releaseTypes, { ...terms }, [0])
      const twice = [approvals[0]!, { ...approvals[0]!, index: 1 }]
      await expect(desk.firmware.publish(terms, MANIFEST, { ...set, approvals })).to.be.revertedWithCustomError(
        desk.firmware,
        'ApprovalsTooFew'
      )
      await refused(desk.firmware.publish(terms, MANIFEST, { ...set, approvals: twice }))
    })

    it('all release keys publish, but one guard ends it before any device has it', async () => {
      await desk.publish(await desk.terms(3, { kind: 1 }))
      await expect(desk.activate(3)).to.be.revertedWithCustomError(desk.firmware, 'ReleaseNotDue')
      await desk.yank([3])
      await chain.moveTo((await chain.now()) + DAYS)
      await expect(desk.activate(3)).to.be.revertedWithCustomError(desk.firmware, 'ReleaseStatusUnfit')
      expect(await desk.statusOf(3)).to.equal(YANKED)
    })

    it('all release keys burn at most sixteen steps of the counter with each release', async () => {
      const leap = await desk.terms(3, { securityCounter: 2 ** 32 - 1 })
      await expect(desk.publish(leap)).to.be.revertedWithCustomError(desk.firmware, 'ReleaseCounterOutOfRange')
    })

    it('of a guard delay a release by 14 days with each hold, and no hold prolongs one that runs', async () => {
      await desk.hold(2)
      await expect(desk.hold(2)).to.be.revertedWithCustomError(desk.firmware, 'ReleaseStatusUnfit')
      await chain.moveTo((await chain.now()) + 14 * DAYS + 1)
      expect(await desk.statusOf(2)).to.not.equal(HELD)
    })

    it('of the roots wait two days, in which the true roots cancel', async () => {
      await desk.propose(makerOf({ release: { threshold: 1, keys: accounts('thief', 1) } }))
      await desk.cancelRotation()
      await desk.publish(await desk.terms(3))
    })
  })

  it('nobody but governance can pause, and it can do nothing else', async () => {
    const { signer } = await payingKey(chain, 'nobody')
    for (const call of [desk.firmware.connect(signer).pause(), desk.firmware.connect(signer).unpause()]) {
      await expect(call).to.be.revertedWithCustomError(desk.firmware, 'AccessManagedUnauthorized')
    }
  })
})

/** Refused, for whichever reason. */
async function expectRefusal(call: Promise<unknown>): Promise<void> {
  const outcome = await call.then(
    () => 'done',
    () => 'refused'
  )
  expect(outcome).to.equal('refused')
}

/** The other signature that plain `ecrecover` would take: s mirrored, v turned. */
function turnOver(signature: string): string {
  const bytes = getBytes(signature)
  const s = ORDER - BigInt(hexlify(bytes.slice(32, 64)))
  return concat([bytes.slice(0, 32), toBeHex(s, 32), toBeHex(bytes[64] === 27 ? 28 : 27, 1)])
}
