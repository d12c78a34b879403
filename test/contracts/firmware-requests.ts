import { AbiCoder, id, keccak256, type TypedDataDomain } from 'ethers'
import * as types from '#core/abi/typed-data/firmware.ts'
import type { TypedDataTypes } from '#core/abi/typed-data/domain.ts'
import type { FirmwareRegistry, IFirmwareMakers, IFirmwareReleases } from '#core/abi/types/FirmwareRegistry.ts'
import type { Hex } from '#core/chain/events.ts'
import { keysetDigest, keysetsDigest, manufacturerIdOf, modelIdOf, type Keysets } from '#core/firmware/keyset.ts'
import type { TestChain } from '#test/contracts/chain.ts'
import { accountKey, type Key } from '#test/contracts/keys.ts'
import type { Sent } from '#test/contracts/requests.ts'

/** Signers of one role, and how many of them it takes. */
export interface KeySet {
  readonly threshold: number
  readonly keys: readonly Key[]
}

/** A manufacturer's keys, by role. */
export interface Maker {
  readonly root: KeySet
  readonly release: KeySet
  readonly guard: KeySet
  readonly steward: KeySet
}

/** What the contract takes as a release. */
export type ReleaseTerms = IFirmwareReleases.ReleaseTermsStruct
/** A set and its signatures. */
export type Quorum = IFirmwareMakers.QuorumStruct

/** Risk classes as the contract numbers them. */
export const [TEST, LOW, MEDIUM, HIGH] = [0, 1, 2, 3] as const
/** Where a release stands, as the contract numbers it. */
export const [PUBLISHED, STAGED, ACTIVE, SUPERSEDED, HELD, YANKED] = [1n, 2n, 3n, 4n, 5n, 6n] as const
/** The manifest that tests publish. */
export const MANIFEST = '0xa1616101'
/** Class of the model that tests register. */
export const MODEL_CLASS = id('pulse oximeter') as Hex
/** The manufacturer's number for why a release is stopped. */
export const REASON = 7
/** `heldUntil` of a hold that does not lapse. */
export const FIRM: bigint = 2n ** 40n - 1n
/** Days of silence of the makers here. */
export const SILENCE_DAYS = 400

/** Some keys of ordinary accounts. */
export function accounts(label: string, count: number): Key[] {
  return Array.from({ length: count }, (_, index) => accountKey(`${label} ${String(index)}`))
}

/** A maker with keys of ordinary accounts, with changes. */
export function makerOf(changes: Partial<Maker> = {}): Maker {
  return {
    root: { threshold: 2, keys: accounts('root', 3) },
    release: { threshold: 2, keys: accounts('release', 3) },
    guard: { threshold: 1, keys: accounts('guard', 2) },
    steward: { threshold: 2, keys: accounts('steward', 2) },
    ...changes
  }
}

/** The struct `Keysets` of a maker. */
export function keysetsOf({ root, release, guard, steward }: Maker, silenceDays: number = SILENCE_DAYS): Keysets {
  const set = ({ threshold, keys }: KeySet): Keysets['root'] => ({
    threshold,
    signers: keys.map(key => key.signer as Hex)
  })
  return { root: set(root), release: set(release), guard: set(guard), steward: set(steward), silenceDays }
}

/** A set as typechain takes it. */
export function tupleOf({ threshold, signers }: Keysets['root']): IFirmwareMakers.SignerSetStruct {
  return { threshold, signers: [...signers] }
}

/** All sets as typechain takes them. */
export function structOf(keysets: Keysets): IFirmwareMakers.KeysetsStruct {
  const { root, release, guard, steward, silenceDays } = keysets
  return {
    root: tupleOf(root),
    release: tupleOf(release),
    guard: tupleOf(guard),
    steward: tupleOf(steward),
    silenceDays
  }
}

/** Signatures of some of a set's keys, by index, in the order given; of as many as it takes unless told. */
export async function quorum(
  { threshold, keys }: KeySet,
  domain: TypedDataDomain,
  struct: TypedDataTypes,
  value: Record<string, unknown>,
  indices: readonly number[] = keys.map((_, index) => index).slice(0, threshold)
): Promise<Quorum> {
  const approvals = indices.map(async index => {
    const key = keys[index]
    const signer = key == null || key.signer.length === 42 ? '0x' : key.signer
    return { index, signer, signature: (await key?.sign(domain, struct, value)) ?? '0x' }
  })
  return { threshold, ids: keys.map(key => key.id), approvals: await Promise.all(approvals) }
}

/** Requests about one manufacturer's model; each signed by as many as it takes of the role that may. */
export interface FirmwareDesk {
  readonly maker: Maker
  readonly manufacturer: Hex
  readonly model: Hex
  readonly domain: TypedDataDomain
  readonly firmware: FirmwareRegistry
  /** Signs any struct with a role. */
  sign(role: keyof Maker, struct: TypedDataTypes, value: Record<string, unknown>): Promise<Quorum>
  registerManufacturer(): Sent
  registerModel(riskClass?: number, slotMiB?: number): Sent
  propose(next: Maker, byNew?: readonly number[]): Sent
  cancelRotation(): Sent
  heartbeat(): Sent
  /** Terms of the release with this number. */
  terms(sequence: number, special?: Partial<ReleaseTerms>): Promise<ReleaseTerms>
  publish(terms: ReleaseTerms, indices?: readonly number[], manifest?: string): Sent
  activate(sequence: number, imageSha256?: string): Sent
  /** Publishes and starts the next release. */
  release(sequence: number, special?: Partial<ReleaseTerms>): Promise<void>
  raiseRollout(sequence: number, bps: number): Sent
  raiseMinimum(minimumSequence: number): Sent
  proposeSunset(finalSequence: number, stewards: KeySet): Sent
  cancelSunset(): Sent
  /** Proposes a sunset, waits as long as it takes and completes it. */
  sunset(finalSequence: number, stewards: KeySet): Sent
  hold(sequence: number, role?: keyof Maker): Sent
  confirmHold(sequence: number, role?: keyof Maker): Sent
  unhold(sequence: number): Sent
  yank(sequences: readonly number[], imageSha256?: string, role?: keyof Maker): Sent
  cutRollout(sequence: number, bps: number, role?: keyof Maker): Sent
  revisionOf(sequence: number): Promise<bigint>
  roundOf(sequence: number): Promise<bigint>
  statusOf(sequence: number): Promise<bigint>
}

/** Opens a desk for a manufacturer. */
export function openDesk(chain: TestChain, maker: Maker = makerOf()): FirmwareDesk {
  const { firmware } = chain.contracts
  const salt = id('salt') as Hex
  const domain = chain.domainOf('FirmwareRegistry')
  const manufacturer = manufacturerIdOf(keysetsOf(maker), salt)
  const model = modelIdOf(manufacturer, MODEL_CLASS)
  const sign: FirmwareDesk['sign'] = (role, struct, value) => quorum(maker[role], domain, struct, value)
  const revisionOf = async (sequence: number): Promise<bigint> => (await firmware.releaseOf(model, sequence)).revision
  /** What requests about one release share. */
  const about = async (
    sequence: number
  ): Promise<{ model: Hex; sequence: number; revision: bigint; deadline: number }> => ({
    model,
    sequence,
    revision: await revisionOf(sequence),
    deadline: await chain.deadline()
  })
  const imageOf = (sequence: number): string => id(`image ${String(sequence)}`)
  const desk: FirmwareDesk = {
    maker,
    manufacturer,
    model,
    domain,
    firmware,
    sign,
    revisionOf,
    roundOf: async sequence => (await firmware.releaseOf(model, sequence)).round,
    statusOf: async sequence => (await firmware.releaseOf(model, sequence)).status,
    registerManufacturer: () => firmware.registerManufacturer(structOf(keysetsOf(maker)), salt),
    async registerModel(riskClass = TEST, slotMiB = 16_384) {
      const value = { manufacturer, modelClass: MODEL_CLASS, riskClass, slotMiB, deadline: await chain.deadline() }
      const by = await sign('release', types.modelRegistrationTypes, value)
      return firmware.registerModel(manufacturer, MODEL_CLASS, riskClass, slotMiB, value.deadline, by)
    },
    async propose(next, byNew) {
      const { rotationNonce: nonce } = await firmware.manufacturerOf(manufacturer)
      const keysets = keysetsOf(next)
      const value = { manufacturer, keysets: keysetsDigest(keysets), nonce, deadline: await chain.deadline() }
      const byOld = await sign('root', types.keysetRotationTypes, value)
      const byNext = await quorum(next.root, domain, types.keysetRotationTypes, value, byNew)
      return firmware.proposeRotation(manufacturer, structOf(keysets), nonce, value.deadline, byOld, byNext)
    },
    async cancelRotation() {
      const { rotationNonce: nonce } = await firmware.manufacturerOf(manufacturer)
      const value = { manufacturer, nonce, deadline: await chain.deadline() }
      const by = await sign('root', types.rotationCancellationTypes, value)
      return firmware.cancelRotation(manufacturer, value.deadline, by)
    },
    async heartbeat() {
      const { heartbeatAt: previous } = await firmware.manufacturerOf(manufacturer)
      const value = { manufacturer, previous, deadline: await chain.deadline() }
      const by = await sign('release', types.heartbeatSignTypes, value)
      return firmware.heartbeat(manufacturer, previous, value.deadline, by)
    },
    terms: async (sequence, special = {}) => ({
      model,
      sequence,
      securityCounter: 1,
      kind: 0,
      sizeBytes: 2 ** 33,
      imageSha256: imageOf(sequence),
      manifestDigest: keccak256(MANIFEST),
      notBefore: 0,
      keysetVersion: 1,
      deadline: await chain.deadline(),
      ...special
    }),
    async publish(terms, indices, manifest = MANIFEST) {
      const by = await quorum(maker.release, domain, types.releaseTypes, { ...terms }, indices)
      return firmware.publish(terms, manifest, by)
    },
    activate: (sequence, imageSha256 = imageOf(sequence)) =>
      firmware.activate(model, sequence, keccak256(MANIFEST), imageSha256),
    async release(sequence, special = {}) {
      await desk.publish(await desk.terms(sequence, special))
      await desk.activate(sequence, special.imageSha256 as string | undefined)
    },
    async raiseRollout(sequence, bps) {
      const value = { ...(await about(sequence)), bps }
      const by = await sign('release', types.rolloutRaiseTypes, value)
      return firmware.raiseRollout(model, sequence, bps, value.deadline, by)
    },
    async raiseMinimum(minimumSequence) {
      const deadline = await chain.deadline()
      const value = { model, minimumSequence, mandatoryBy: deadline, deadline }
      const by = await sign('release', types.minimumRaiseTypes, value)
      return firmware.raiseMinimum(model, minimumSequence, deadline, deadline, by)
    },
    async proposeSunset(finalSequence, stewards) {
      const set = { threshold: stewards.threshold, signers: stewards.keys.map(key => key.signer as Hex) }
      const { nonce } = await firmware.sunsetOf(model)
      const value = { model, finalSequence, stewards: keysetDigest(set), nonce, deadline: await chain.deadline() }
      const by = await sign('root', types.sunsetTypes, value)
      return firmware.proposeSunset(model, finalSequence, tupleOf(set), nonce, value.deadline, by)
    },
    async cancelSunset() {
      const { nonce } = await firmware.sunsetOf(model)
      const value = { model, nonce, deadline: await chain.deadline() }
      const by = await sign('root', types.sunsetCancellationTypes, value)
      return firmware.cancelSunset(model, value.deadline, by)
    },
    async sunset(finalSequence, stewards) {
      await desk.proposeSunset(finalSequence, stewards)
      await chain.moveTo(Number((await firmware.sunsetOf(model)).due))
      return firmware.completeSunset(model)
    },
    async hold(sequence, role = 'guard') {
      const value = { ...(await about(sequence)), reason: REASON }
      const by = await sign(role, types.holdTypes, value)
      return firmware.hold(model, sequence, REASON, value.deadline, by)
    },
    async confirmHold(sequence, role = 'release') {
      const value = await about(sequence)
      const by = await sign(role, types.holdConfirmationTypes, value)
      return firmware.confirmHold(model, sequence, value.deadline, by)
    },
    async unhold(sequence) {
      const value = { ...(await about(sequence)), reason: REASON }
      const by = await sign('release', types.unholdTypes, value)
      return firmware.unhold(model, sequence, REASON, value.deadline, by)
    },
    async yank(sequences, imageSha256 = imageOf(sequences[0] ?? 0), role = 'guard') {
      const deadline = await chain.deadline()
      const by = await sign(role, types.yankTypes, { model, imageSha256, reason: REASON, deadline })
      const numbers = sequences.map(sequence => ({ sequence, manifestDigest: keccak256(MANIFEST) }))
      return firmware.yank(model, imageSha256, REASON, deadline, by, numbers)
    },
    async cutRollout(sequence, bps, role = 'guard') {
      const value = { ...(await about(sequence)), bps }
      const by = await sign(role, types.rolloutCutTypes, value)
      return firmware.cutRollout(model, sequence, bps, value.deadline, by)
    }
  }
  return desk
}

/** keccak256(abi.encode(manifestDigest, imageSha256)). */
export function contentsOf(manifestDigest: string, imageSha256: string): string {
  return keccak256(AbiCoder.defaultAbiCoder().encode(['bytes32', 'bytes32'], [manifestDigest, imageSha256]))
}
