import { Wallet } from 'ethers'
import type { CID } from 'multiformats/cid'
import { granteeEvidence, patientEvidence } from '#core/agent/grantee-requests.ts'
import type { RecordOnChain } from '#core/agent/record-on-chain.ts'
import { networkIdOf } from '#core/chain/network-id.ts'
import { fromHex } from '#core/encoding/bytes.ts'
import { NO_EXPIRY, RIGHT_READ, RIGHT_WRITE, UNLIMITED_USES, packTerms } from '#core/grant/terms.ts'
import type { AgentKeys } from '#core/identity/agent-keys.ts'
import { keyBundleDigest } from '#core/identity/key-bundle.ts'
import type { LogFacts } from '#core/log/facts.ts'
import type { LogInput } from '#core/log/log.ts'
import { RAW_CODEC, cidOfDigest } from '#core/record/cid.ts'
import { decodeEntry, signEntry, type EntryHeader } from '#core/record/entry.ts'
import { nativePrimitives as p } from '#node/crypto/native.ts'
import { PATIENT, keysOf } from '#test/core/people.ts'

/** A day of the log's world, and the chain's time on it. */
export const TODAY = 20_777
export const NOW_S: number = TODAY * 86_400 + 3600

const TARGET = {
  chainId: 31_337,
  contracts: { AccessGrants: { address: '0xe7f1725E7734CE288F8367e1Bb143E90bb3F0512' } }
}
const NETWORK = networkIdOf(TARGET.chainId, TARGET.contracts.AccessGrants.address)

/** A header with its name, as tests hand it around. */
export interface Written extends LogInput {
  readonly name: string
  readonly cid: CID
  readonly header: EntryHeader
}

/** Whoever writes. */
export interface Writer {
  readonly keys: AgentKeys
  readonly evidenceBytes: Uint8Array
  readonly grant: Uint8Array | null
  /** Address, 20 bytes; empty for the patient. */
  readonly address: Uint8Array
}

/** What a test says of a header; the rest is filled in. */
export type Wish = Partial<Pick<EntryHeader, 'revision' | 'day' | 'tag' | 'generation' | 'patient' | 'network'>> & {
  readonly entry?: number
  readonly follows?: readonly Written[]
  readonly salt?: number
}

/** The patient, three grantees who may write, one who may only read, and what the chain says of them. */
export interface LogWorld {
  readonly patient: Writer
  readonly doctor: Writer
  readonly gateway: Writer
  readonly other: Writer
  readonly reader: Writer
  readonly facts: LogFacts
  write(by: Writer, wish?: Wish): Written
}

/** Makes the people of the tests. */
export async function createLogWorld(): Promise<LogWorld> {
  const patientKeys = await keysOf(1)
  const patient = {
    keys: patientKeys,
    evidenceBytes: patientEvidence(patientKeys),
    grant: null,
    address: new Uint8Array()
  }
  const [doctor, gateway, other, reader] = await Promise.all([granteeOf(2), granteeOf(3), granteeOf(4), granteeOf(5)])
  const grants = [doctor, gateway, other, reader].map(({ grant, address }) => ({
    grantId: grant ?? new Uint8Array(32),
    terms: packTerms({
      grantee: address,
      notBefore: 0,
      expiresAt: NO_EXPIRY,
      rights: address === reader.address ? RIGHT_READ : RIGHT_READ | RIGHT_WRITE,
      uses: UNLIMITED_USES
    })
  }))
  const keyBundles = [{ digest: keyBundleDigest(patientKeys.bundleBytes), replacedAtS: null }]
  const record: RecordOnChain = { target: TARGET, patient: PATIENT, keyBundles, grants }
  let salt = 0
  return {
    patient,
    doctor,
    gateway,
    other,
    reader,
    facts: { record, blockTimeS: NOW_S },
    write(by, wish = {}) {
      const headerBytes = signEntry(p, headerOf(by, wish, wish.salt ?? salt++), by.keys.signSeed)
      const { cid, header } = decodeEntry(headerBytes)
      return { headerBytes, evidenceBytes: by.evidenceBytes, name: cid.toString(), cid, header }
    }
  }
}

function headerOf(by: Writer, wish: Wish, salt: number): EntryHeader {
  const { entry = 1, follows = [], day = TODAY, tag = new Uint8Array(16).fill(9), generation = 1 } = wish
  const id = new Uint8Array(16)
  new DataView(id.buffer).setUint32(0, entry)
  const own = follows.filter(each => each.header.entry.every((byte, i) => byte === id[i]))
  return {
    network: wish.network ?? NETWORK,
    patient: wish.patient ?? PATIENT,
    tag,
    entry: id,
    revision: wish.revision ?? 1 + Math.max(0, ...own.map(({ header }) => header.revision)),
    parents: follows.map(({ cid }) => cid),
    generation,
    day,
    author: by.keys.bundle.sign,
    grant: by.grant,
    blob: cidOfDigest(RAW_CODEC, p.sha256(new Uint8Array(new Uint32Array([salt]).buffer))),
    sizeBytes: 2120
  }
}

async function granteeOf(person: number): Promise<Writer> {
  const wallet = new Wallet(`0x${String(person).repeat(64)}`)
  const keys = await keysOf(person)
  const evidenceBytes = await granteeEvidence(keys, {
    target: TARGET,
    notAfterS: NOW_S + 365 * 86_400,
    signTypedData: (...data) => wallet.signTypedData(...data)
  })
  return { keys, evidenceBytes, grant: new Uint8Array(32).fill(person), address: fromHex(wallet.address, 20) }
}
