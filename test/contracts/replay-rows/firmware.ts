import { id } from 'ethers'
import * as types from '#core/abi/typed-data/firmware.ts'
import type { TestChain } from '#test/contracts/chain.ts'
import {
  MEDIUM,
  accounts,
  makerOf,
  openDesk,
  type FirmwareDesk,
  type Maker
} from '#test/contracts/firmware-requests.ts'
import type { Key } from '#test/contracts/keys.ts'
import type { Row } from '#test/contracts/replay-matrix.ts'

const DAY_S = 86_400
const maker = makerOf()
const keyOf = (role: keyof Maker): Key => maker[role].keys[0]!
const next = makerOf({ root: { threshold: 2, keys: accounts('next root', 2) } })

/** The desk of the maker, `by` in the place of the first key of `role`. */
function deskOf(chain: TestChain, role: keyof Maker = 'release', by: Key = keyOf(role)): FirmwareDesk {
  const { threshold, keys } = maker[role]
  return openDesk(chain, { ...maker, [role]: { threshold, keys: [by, ...keys.slice(1)] } })
}

/** A model of which the first release is active and the second staged. */
async function rolling(chain: TestChain): Promise<FirmwareDesk> {
  const desk = deskOf(chain)
  await desk.registerManufacturer()
  await desk.registerModel(MEDIUM)
  for (const sequence of [1, 2]) await desk.publish(await desk.terms(sequence))
  await chain.moveTo((await chain.now()) + 2 * DAY_S)
  await desk.activate(1)
  await desk.raiseRollout(1, 10_000)
  await desk.activate(2)
  return desk
}
async function held(chain: TestChain): Promise<void> {
  await (await rolling(chain)).hold(2)
}

/** A row of a role's request. */
function row(name: string, role: keyof Maker, rest: Pick<Row, 'types' | 'once' | 'send'> & Partial<Row>): Row {
  const common = { contract: 'FirmwareRegistry', refused: 'ApprovalSignatureInvalid', prepare: rolling } as const
  return { ...common, name, key: keyOf(role), ...rest }
}

/** The requests of a manufacturer’s roles. */
export const FIRMWARE_ROWS: readonly Row[] = [
  row('proposeRotation, by the old root keys', 'root', {
    types: types.keysetRotationTypes,
    once: 'RotationOutOfSequence',
    send: (chain, by) => deskOf(chain, 'root', by).propose(next)
  }),
  row('proposeRotation, by the new root keys', 'root', {
    key: next.root.keys[0]!,
    types: types.keysetRotationTypes,
    once: 'RotationOutOfSequence',
    send: (chain, by) =>
      deskOf(chain).propose({ ...next, root: { threshold: 2, keys: [by, ...next.root.keys.slice(1)] } })
  }),
  row('cancelRotation', 'root', {
    types: types.rotationCancellationTypes,
    once: 'RotationNotProposed',
    prepare: async chain => (await rolling(chain)).propose(next),
    send: (chain, by) => deskOf(chain, 'root', by).cancelRotation()
  }),
  row('heartbeat', 'release', {
    types: types.heartbeatSignTypes,
    once: 'HeartbeatStale',
    send: (chain, by) => deskOf(chain, 'release', by).heartbeat()
  }),
  row('registerModel', 'release', {
    types: types.modelRegistrationTypes,
    once: 'ModelAlreadyRegistered',
    prepare: chain => deskOf(chain).registerManufacturer(),
    send: (chain, by) => deskOf(chain, 'release', by).registerModel(MEDIUM)
  }),
  row('publish', 'release', {
    types: types.releaseTypes,
    once: 'ReleaseOutOfSequence',
    send: async (chain, by) => deskOf(chain, 'release', by).publish(await deskOf(chain).terms(3))
  }),
  row('raiseRollout', 'release', {
    types: types.rolloutRaiseTypes,
    once: 'RolloutOutOfRange',
    send: (chain, by) => deskOf(chain, 'release', by).raiseRollout(2, 5000)
  }),
  row('cutRollout', 'guard', {
    types: types.rolloutCutTypes,
    once: 'RolloutNotLower',
    send: (chain, by) => deskOf(chain, 'guard', by).cutRollout(2, 10)
  }),
  row('raiseMinimum', 'release', {
    types: types.minimumRaiseTypes,
    once: 'MinimumOutOfRange',
    send: (chain, by) => deskOf(chain, 'release', by).raiseMinimum(1)
  }),
  row('proposeSunset', 'root', {
    types: types.sunsetTypes,
    once: 'SunsetOutOfSequence',
    send: (chain, by) => deskOf(chain, 'root', by).proposeSunset(2, maker.steward)
  }),
  row('cancelSunset', 'root', {
    types: types.sunsetCancellationTypes,
    once: 'SunsetNotProposed',
    prepare: async chain => (await rolling(chain)).proposeSunset(2, maker.steward),
    send: (chain, by) => deskOf(chain, 'root', by).cancelSunset()
  }),
  row('hold', 'guard', {
    types: types.holdTypes,
    once: 'ReleaseStatusUnfit',
    send: (chain, by) => deskOf(chain, 'guard', by).hold(2)
  }),
  row('confirmHold', 'release', {
    types: types.holdConfirmationTypes,
    once: 'ApprovalSignatureInvalid',
    prepare: held,
    send: (chain, by) => deskOf(chain, 'release', by).confirmHold(2)
  }),
  row('unhold', 'release', {
    types: types.unholdTypes,
    once: 'ApprovalSignatureInvalid',
    prepare: held,
    send: (chain, by) => deskOf(chain, 'release', by).unhold(2)
  }),
  row('yank', 'guard', {
    types: types.yankTypes,
    once: 'ReleaseImageYanked',
    send: (chain, by) => deskOf(chain, 'guard', by).yank([2], id('image 2'))
  })
]
