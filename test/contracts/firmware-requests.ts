import { AbiCoder, id, keccak256, type TypedDataDomain } from 'ethers'
import type { TypedDataTypes } from '#core/abi/typed-data/domain.ts'
import {
  holdTypes,
  minimumRaiseTypes,
  modelRegistrationTypes,
  releaseTypes,
  unholdTypes,
  yankTypes
} from '#core/abi/typed-data/firmware.ts'
import type { IFirmwareRegistry } from '#core/abi/types/FirmwareRegistry.ts'
import type { TestChain } from '#test/contracts/chain.ts'
import type { Key } from '#test/contracts/keys.ts'
import type { Sent } from '#test/contracts/requests.ts'

const coder = AbiCoder.defaultAbiCoder()

/** A manufacturer's keys. */
export interface Maker {
  readonly releaseKeys: readonly Key[]
  readonly threshold: number
  readonly guards: readonly Key[]
}

/** What the contract takes as a release. */
export type ReleaseTerms = IFirmwareRegistry.ReleaseTermsStruct
/** One signature with its place. */
export type Approval = IFirmwareRegistry.ApprovalStruct

/** The manifest that tests publish. */
export const MANIFEST = '0xa1616101'
/** Class of the model that tests register. */
export const MODEL_CLASS: string = id('pulse oximeter')

/** Id of a manufacturer. */
export function manufacturerIdOf({ releaseKeys, threshold, guards }: Maker, salt: string): string {
  const keys = [releaseKeys.map(key => key.signer), threshold, guards.map(key => key.signer)]
  const keySet = keccak256(coder.encode(['bytes[]', 'uint8', 'bytes[]'], keys))
  return keccak256(coder.encode(['bytes32', 'bytes32'], [keySet, salt]))
}

/** Id of a model. */
export function modelIdOf(manufacturer: string, modelClass: string): string {
  return keccak256(coder.encode(['bytes32', 'bytes32'], [manufacturer, modelClass]))
}

/** Signatures of some of a set's keys, by index, in the order given. */
export async function approve(
  keys: readonly Key[],
  indices: readonly number[],
  domain: TypedDataDomain,
  types: TypedDataTypes,
  value: Record<string, unknown>
): Promise<Approval[]> {
  return Promise.all(
    indices.map(async index => ({ index, signature: (await keys[index]?.sign(domain, types, value)) ?? '0x' }))
  )
}

/** Requests about one manufacturer's firmware; by default signed by exactly as many as it takes. */
export interface FirmwareDesk {
  readonly manufacturer: string
  readonly model: string
  registerManufacturer(): Sent
  registerModel(): Sent
  /** Terms of the release with this number. */
  terms(sequence: number, special?: Partial<ReleaseTerms>): Promise<ReleaseTerms>
  publish(terms: ReleaseTerms, indices?: readonly number[], manifest?: string): Sent
  hold(sequence: number, guard?: number): Sent
  unhold(sequence: number): Sent
  yank(sequence: number, guard?: number): Sent
  raiseMinimum(minimumSequence: number): Sent
}

/** The manufacturer's number for why a release is stopped. */
export const REASON = 7

/** Opens a desk for a manufacturer. */
export function openDesk(chain: TestChain, maker: Maker): FirmwareDesk {
  const { firmware } = chain.contracts
  const salt = id('salt')
  const domain = chain.domainOf('FirmwareRegistry')
  const manufacturer = manufacturerIdOf(maker, salt)
  const model = modelIdOf(manufacturer, MODEL_CLASS)
  const enough: readonly number[] = maker.releaseKeys.map((_, index) => index).slice(0, maker.threshold)
  const byReleaseKeys = (
    types: TypedDataTypes,
    value: Record<string, unknown>,
    indices = enough
  ): Promise<Approval[]> => approve(maker.releaseKeys, indices, domain, types, value)
  const byGuard = async (types: TypedDataTypes, value: Record<string, unknown>, index: number): Promise<Approval> => ({
    index,
    signature: (await maker.guards[index]?.sign(domain, types, value)) ?? '0x'
  })
  const revisionOf = async (sequence: number): Promise<bigint> => (await firmware.releaseOf(model, sequence)).revision
  return {
    manufacturer,
    model,
    registerManufacturer: () =>
      firmware.registerManufacturer(
        maker.releaseKeys.map(key => key.signer),
        maker.threshold,
        maker.guards.map(key => key.signer),
        salt
      ),
    async registerModel() {
      const deadline = await chain.deadline()
      const approvals = await byReleaseKeys(modelRegistrationTypes, { manufacturer, modelClass: MODEL_CLASS, deadline })
      return firmware.registerModel(manufacturer, MODEL_CLASS, deadline, approvals)
    },
    terms: async (sequence, special = {}) => ({
      model,
      sequence,
      securityCounter: 1,
      sizeBytes: 2 ** 33,
      imageSha256: id(`image ${String(sequence)}`),
      manifestDigest: keccak256(MANIFEST),
      deadline: await chain.deadline(),
      ...special
    }),
    async publish(terms, indices = enough, manifest = MANIFEST) {
      return firmware.publish(terms, manifest, await byReleaseKeys(releaseTypes, { ...terms }, indices))
    },
    async hold(sequence, guard = 0) {
      const deadline = await chain.deadline()
      const value = { model, sequence, reason: REASON, revision: await revisionOf(sequence), deadline }
      return firmware.hold(model, sequence, REASON, deadline, await byGuard(holdTypes, value, guard))
    },
    async unhold(sequence) {
      const deadline = await chain.deadline()
      const value = { model, sequence, reason: REASON, revision: await revisionOf(sequence), deadline }
      return firmware.unhold(model, sequence, REASON, deadline, await byReleaseKeys(unholdTypes, value))
    },
    async yank(sequence, guard = 0) {
      const deadline = await chain.deadline()
      const value = { model, sequence, reason: REASON, deadline }
      return firmware.yank(model, sequence, REASON, deadline, await byGuard(yankTypes, value, guard))
    },
    async raiseMinimum(minimumSequence) {
      const deadline = await chain.deadline()
      const approvals = await byReleaseKeys(minimumRaiseTypes, { model, minimumSequence, deadline })
      return firmware.raiseMinimum(model, minimumSequence, deadline, approvals)
    }
  }
}
