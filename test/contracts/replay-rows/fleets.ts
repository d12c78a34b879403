import { ZeroHash, id } from 'ethers'
import * as types from '#core/abi/typed-data/firmware.ts'
import type { TestChain } from '#test/contracts/chain.ts'
import { deviceTree } from '#test/contracts/device-tree.ts'
import { makerOf, openDesk, quorum, type FirmwareDesk, type Quorum } from '#test/contracts/firmware-requests.ts'
import { accountKey, type Key } from '#test/contracts/keys.ts'
import type { Row } from '#test/contracts/replay-matrix.ts'
import type { TypedDataTypes } from '#core/abi/typed-data/domain.ts'

const maker = makerOf()
const [releaser, guard] = [maker.release.keys[0]!, maker.guard.keys[0]!]
const witness = accountKey('attestor')
const devices = [accountKey('device'), accountKey('device 2')].sort((a, b) => (BigInt(a.id) < BigInt(b.id) ? -1 : 1))
const tree = deviceTree(devices.map(device => device.id))

async function active(chain: TestChain): Promise<FirmwareDesk> {
  const desk = openDesk(chain, maker)
  await desk.registerManufacturer()
  await desk.registerModel()
  await desk.release(1)
  return desk
}
/** Signatures of the release keys, `by` in the place of the first. */
function byRelease(desk: FirmwareDesk, by: Key, struct: TypedDataTypes, value: object): Promise<Quorum> {
  const keys = [by, ...maker.release.keys.slice(1)]
  return quorum({ ...maker.release, keys }, desk.domain, struct, { ...value })
}
async function setDeviceKeys(chain: TestChain, by: Key): ReturnType<Row['send']> {
  const desk = openDesk(chain, maker)
  const value = { model: desk.model, root: tree.root, devices: 2, version: 1, deadline: await chain.deadline() }
  const quorumOf = await byRelease(desk, by, types.deviceKeysTypes, value)
  return desk.firmware.setDeviceKeys(desk.model, tree.root, 2, 1, value.deadline, quorumOf)
}
async function addAttestor(chain: TestChain, by: Key): ReturnType<Row['send']> {
  const desk = openDesk(chain, maker)
  const value = { model: desk.model, signer: witness.signer, deadline: await chain.deadline() }
  const quorumOf = await byRelease(desk, by, types.attestorAdditionTypes, value)
  return desk.firmware.addAttestor(desk.model, witness.signer, value.deadline, quorumOf)
}
async function attested(chain: TestChain): Promise<void> {
  await active(chain)
  await addAttestor(chain, releaser)
}
const ofMaker = {
  contract: 'FirmwareRegistry',
  key: releaser,
  refused: 'ApprovalSignatureInvalid',
  prepare: active
} as const
const ofWitness = { contract: 'FirmwareRegistry', key: witness, prepare: active } as const

/** What is said about fleets, by makers, devices, attestors and rebuilders. */
export const FLEET_ROWS: readonly Row[] = [
  {
    ...ofMaker,
    name: 'setDeviceKeys',
    types: types.deviceKeysTypes,
    once: 'DeviceKeysOutOfSequence',
    send: setDeviceKeys
  },
  { ...ofMaker, name: 'addAttestor', types: types.attestorAdditionTypes, once: 'AttestorKnown', send: addAttestor },
  {
    ...ofMaker,
    name: 'removeAttestor',
    types: types.attestorRemovalTypes,
    once: 'AttestorUnknown',
    prepare: attested,
    async send(chain, by) {
      const desk = openDesk(chain, maker)
      const value = { model: desk.model, attestor: witness.id, deadline: await chain.deadline() }
      const quorumOf = await byRelease(desk, by, types.attestorRemovalTypes, value)
      return desk.firmware.removeAttestor(desk.model, witness.id, value.deadline, quorumOf)
    }
  },
  {
    ...ofMaker,
    name: 'addAdvisory',
    key: guard,
    types: types.advisoryTypes,
    once: 'StatementKnown',
    async send(chain, by) {
      const { model, domain, firmware } = openDesk(chain, maker)
      const range = { model, fromSequence: 1, toSequence: 1, vulnerability: ZeroHash, impact: 1 }
      const value = { ...range, documentDigest: id('document'), deadline: await chain.deadline() }
      const keys = [by, ...maker.guard.keys.slice(1)]
      return firmware.addAdvisory(value, await quorum({ ...maker.guard, keys }, domain, types.advisoryTypes, value))
    }
  },
  {
    ...ofWitness,
    name: 'tripBreaker',
    key: devices[0]!,
    types: types.failureTypes,
    once: 'ReleaseStatusUnfit',
    async prepare(chain) {
      await active(chain)
      await setDeviceKeys(chain, releaser)
    },
    async send(chain, by) {
      const { model, domain, firmware } = openDesk(chain, maker)
      const value = { model, sequence: 1, round: 0, deadline: await chain.deadline() }
      const failures = [by, devices[1]!].map(async (device, index) => ({
        signer: device.signer,
        deadline: value.deadline,
        signature: await device.sign(domain, types.failureTypes, value),
        proof: tree.proof(index)
      }))
      return firmware.tripBreaker(model, 1, await Promise.all(failures))
    }
  },
  {
    ...ofWitness,
    name: 'anchorReport',
    types: types.fleetReportTypes,
    once: 'ReportOutOfSequence',
    prepare: attested,
    async send(chain, by) {
      const { model, domain, firmware } = openDesk(chain, maker)
      const counts = { confirmed: 9, failed: 1, rolledBack: 0 }
      const report = { model, epoch: 1, root: id('reports'), ...counts, deadline: await chain.deadline() }
      return firmware.anchorReport(report, by.signer, await by.sign(domain, types.fleetReportTypes, report))
    }
  },
  {
    ...ofWitness,
    name: 'addRebuild',
    types: types.rebuildTypes,
    once: 'StatementKnown',
    async send(chain, by) {
      const { model, domain, firmware } = openDesk(chain, maker)
      const value = { model, sequence: 1, imageSha256: id('image 1'), deadline: await chain.deadline() }
      const signature = await by.sign(domain, types.rebuildTypes, value)
      return firmware.addRebuild(model, 1, value.imageSha256, value.deadline, by.signer, signature)
    }
  }
]
