import { id, keccak256 } from 'ethers'
import type { TypedDataTypes } from '#core/abi/typed-data/domain.ts'
import * as types from '#core/abi/typed-data/firmware.ts'
import type { Hex } from '#core/chain/events.ts'
import { keysetDigest } from '#core/firmware/keyset.ts'
import type { TestChain } from '#test/contracts/chain.ts'
import { firmwareFixture } from '#test/contracts/firmware-fixture.ts'
import {
  HELD,
  MANIFEST,
  MEDIUM,
  makerOf,
  tupleOf,
  type FirmwareDesk,
  type Maker,
  type Quorum
} from '#test/contracts/firmware-requests.ts'
import { accountKey } from '#test/contracts/keys.ts'

const DAYS = 86_400
const ATTESTOR = accountKey('attestor').signer
const LAST = { threshold: 1, signers: [accountKey('last').signer as Hex] }

/** A request: who signs what, and how it is sent. */
interface Request {
  readonly name: string
  readonly role: keyof Maker
  readonly struct: TypedDataTypes
  readonly value: (desk: FirmwareDesk, deadline: number) => Promise<Record<string, unknown>> | Record<string, unknown>
  readonly send: (desk: FirmwareDesk, value: Record<string, never>, by: Quorum) => Promise<unknown>
}

describe('FirmwareRegistry: roles', () => {
  let chain: TestChain
  let desk: FirmwareDesk
  const { refuse } = firmwareFixture(async (opened, its) => {
    ;[chain, desk] = [opened, its]
    await desk.registerModel(MEDIUM)
    for (const sequence of [1, 2]) await desk.publish(await desk.terms(sequence))
    await chain.moveTo((await chain.now()) + 2 * DAYS)
    await desk.activate(1)
    await desk.raiseRollout(1, 10_000)
    await desk.activate(2)
  })

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
  const requests: readonly Request[] = [
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
      name: 'proposeSunset',
      role: 'root',
      struct: types.sunsetTypes,
      value: ({ model }, deadline) => ({ model, finalSequence: 2, stewards: keysetDigest(LAST), nonce: 0, deadline }),
      send: (d, v, by) =>
        d.firmware.proposeSunset(v['model']!, v['finalSequence']!, tupleOf(LAST), v['nonce']!, v['deadline']!, by)
    },
    {
      name: 'cancelSunset',
      role: 'root',
      struct: types.sunsetCancellationTypes,
      value: async (d, deadline) => {
        await d.proposeSunset(2, { threshold: 1, keys: [accountKey('last')] })
        return { model: d.model, nonce: 1, deadline }
      },
      send: (d, v, by) => d.firmware.cancelSunset(v['model']!, v['deadline']!, by)
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

  for (const { name, role, struct, value: make, send } of requests) {
    it(`alone sign ${name}: ${name === 'addAdvisory' ? 'guards and release keys' : role}`, async () => {
      const value = await make(desk, await chain.deadline())
      const allowed = name === 'addAdvisory' ? ['guard', 'release'] : [role]
      // Whose keys they are not may be a steward's, as far as the registry can tell.
      const isStop = allowed.includes('guard') || name === 'confirmHold'
      for (const other of (['root', 'release', 'guard', 'steward'] as const).filter(each => !allowed.includes(each))) {
        const by = await desk.sign(other, struct, value)
        await refuse(send(desk, value as never, by), isStop ? 'StewardsNotNeeded' : 'KeysetNotInForce')
      }
      await send(desk, value as never, await desk.sign(role, struct, value))
    })
  }
})
