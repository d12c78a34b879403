/** What two pseudonyms may have in common: the table of docs/privacy.md, with its values on one network. */
import { readFile } from 'node:fs/promises'
import {
  Interface,
  concat,
  getBytes,
  keccak256,
  sha256,
  toBeHex,
  toUtf8Bytes,
  zeroPadValue,
  type InterfaceAbi
} from 'ethers'
import { accessGrantsAbi } from '#core/abi/AccessGrants.ts'
import { accessManagerAbi } from '#core/abi/AccessManager.ts'
import { batchAnchorsAbi } from '#core/abi/BatchAnchors.ts'
import { consentRegistryAbi } from '#core/abi/ConsentRegistry.ts'
import { credentialRegistryAbi } from '#core/abi/CredentialRegistry.ts'
import { emergencyAccessAbi } from '#core/abi/EmergencyAccess.ts'
import type { Deployment } from '#core/chain/deployment.ts'
import { SalusError } from '#core/error.ts'

/** What a network's declared values follow from. */
export interface DeclaredSources {
  readonly deployment: Deployment
  /** Addresses that send and pay for others. */
  readonly relayers: readonly string[]
  /** Ids of those to whom more than one relationship gives access. */
  readonly grantees: readonly string[]
  /** Ids and credentials of those who act for organisations, such as reviewers. */
  readonly staff: readonly string[]
  /** Domain of the site whose passkeys are used. */
  readonly passkeySite: string
}

/** The contracts that patients' requests go to, and their events; those of the others name no patient. */
const ABIS: readonly InterfaceAbi[] = [
  accessGrantsAbi,
  accessManagerAbi,
  batchAnchorsAbi,
  consentRegistryAbi,
  credentialRegistryAbi,
  emergencyAccessAbi
]
const PAGE = new URL('../../docs/privacy.md', import.meta.url)
/** `| ``key`` | … |` under the heading of the table. */
const ROW = /^\| `([a-zA-Z]+)` \|/gm
const CHALLENGE_CHARACTERS = 43
/** No contract here has more words of storage before its mappings, and no struct in a mapping more words. */
const [MOST_STATE_WORDS, MOST_STRUCT_WORDS] = [64, 4]

const VALUES: Readonly<Record<string, (sources: DeclaredSources) => Uint8Array[]>> = {
  relayer: ({ relayers }) => relayers.map(address => getBytes(address)),
  contracts: ({ deployment }) => Object.values(deployment.contracts).map(({ address }) => getBytes(address)),
  topics: () => ABIS.flatMap(topicsOf),
  grantee: ({ grantees }) => grantees.map(address => getBytes(address)),
  staff: ({ staff }) => staff.map(value => getBytes(value)),
  slots: ({ grantees, staff }) => [...grantees, ...staff].flatMap(slotsOf),
  passkey: ({ passkeySite }) => passkeyConstants(passkeySite)
}

/** What docs/privacy.md declares, with its values on one network. */
export interface Declared {
  /** What requests of two pseudonyms may share. */
  readonly bytes: readonly Uint8Array[]
  /** Whose transactions say nothing of whom they are about, in lower case. */
  readonly addresses: readonly string[]
  /** Names of fields of 32 bytes that hold no digest. */
  readonly plainFields: readonly string[]
}

/**
 * Reads the tables of the page.
 *
 * @throws SalusError `OBSERVER_PAGE` if the page declares what is not known here, or nothing
 */
export async function readDeclared(sources: DeclaredSources, page: URL | string = PAGE): Promise<Declared> {
  const text = await readFile(page, 'utf8')
  const [keys, plainFields] = [keysUnder(text, '## What is declared'), keysUnder(text, '## What is no digest')]
  if (keys.length === 0 || plainFields.length === 0)
    throw new SalusError('OBSERVER_PAGE', 'docs/privacy.md declares nothing that can be read.')
  const bytes = keys.flatMap(key => {
    const values = VALUES[key]
    if (values == null)
      throw new SalusError('OBSERVER_PAGE', 'docs/privacy.md declares what the observer does not know.')
    return values(sources)
  })
  const { relayers, grantees, staff } = sources
  return { bytes, plainFields, addresses: [...relayers, ...grantees, ...staff].map(each => each.toLowerCase()) }
}

function keysUnder(page: string, heading: string): string[] {
  const [, section = ''] = page.split(heading)
  return [...(section.split('\n## ')[0] ?? '').matchAll(ROW)].map(([, key]) => key ?? '')
}

function topicsOf(abi: InterfaceAbi): Uint8Array[] {
  const topics: Uint8Array[] = []
  new Interface(abi).forEachEvent(event => topics.push(getBytes(event.topicHash)))
  return topics
}

/**
 * Where mappings by this id lie in a contract's storage, with the members of a struct:
 * https://docs.soliditylang.org/en/v0.8.37/internals/layout_in_storage.html#mappings-and-dynamic-arrays
 */
function slotsOf(id: string): Uint8Array[] {
  return range(MOST_STATE_WORDS).flatMap(base => {
    const first = BigInt(keccak256(concat([zeroPadValue(id, 32), toBeHex(base, 32)])))
    const members = range(MOST_STRUCT_WORDS).map(member => BigInt.asUintN(256, first + BigInt(member)))
    return members.map(slot => getBytes(toBeHex(slot, 32)))
  })
}

function range(length: number): number[] {
  return Array.from({ length }, (_, index) => index)
}

/** What every assertion of one site has, with the length before it: https://www.w3.org/TR/webauthn-2/#sctn-op-get-assertion */
function passkeyConstants(site: string): Uint8Array[] {
  const before = '{"type":"webauthn.get","challenge":"'
  const after = `","origin":"https://${site}","crossOrigin":false}`
  const length = toBeHex(before.length + CHALLENGE_CHARACTERS + after.length)
  return [getBytes(sha256(toUtf8Bytes(site))), getBytes(concat([length, toUtf8Bytes(before)])), toUtf8Bytes(after)]
}
