/** The part of a deployment's record that says from what its addresses follow and who governs it. */
import { getAddress, isAddress } from 'ethers'
import { GRANTED_ROLES, PROFILES, type GrantedRole, type Profile } from '#core/chain/roles.ts'
import { readList, readMap, readText } from '#core/encoding/shape.ts'
import { SalusError } from '#core/error.ts'

const AREA = 'DEPLOYMENT'
const MOST_MEMBERS = 64

/** The accounts of each role. */
export type Members = Readonly<Record<GrantedRole, readonly string[]>>

/** Who governs, by the table of a profile. */
export interface Governance {
  readonly profile: Profile
  /** The account that administers in the end. */
  readonly governor: string
  readonly members: Members
}

/** What a deployment was made of besides the code. */
export interface DeploymentOrigin {
  /** Name that the salt of every address is the hash of. */
  readonly network: string
  /** The account that set the network up; its address is part of the `AccessManager`'s code of creation. */
  readonly firstAdmin: string
  /** Whether the chain had the precompile of EIP-7951 when the contracts came to it. */
  readonly p256Precompile: boolean
  readonly governance: Governance
}

/** @throws SalusError `DEPLOYMENT_SHAPE` if a field is missing, unknown or malformed */
export function readOrigin(json: unknown): DeploymentOrigin {
  const map = readMap(json, AREA, ['network', 'firstAdmin', 'p256Precompile', 'governance'])
  const p256Precompile = map['p256Precompile']
  if (typeof p256Precompile !== 'boolean') {
    throw new SalusError('DEPLOYMENT_SHAPE', 'Refused: "p256Precompile" must be true or false.')
  }
  return {
    network: readText(map['network'], AREA, 'network', 64),
    firstAdmin: readAddress(map['firstAdmin'], 'firstAdmin'),
    p256Precompile,
    governance: readGovernance(map['governance'])
  }
}

function readGovernance(json: unknown): Governance {
  const map = readMap(json, AREA, ['profile', 'governor', 'members'])
  const profile = PROFILES.find(name => name === map['profile'])
  if (profile == null) {
    throw new SalusError('DEPLOYMENT_SHAPE', `Refused: "profile" must be one of ${PROFILES.join(', ')}.`)
  }
  return { profile, governor: readAddress(map['governor'], 'governor'), members: readMembers(map['members']) }
}

/** The accounts of each role; a role that is left out has none. */
export function readMembers(json: unknown): Members {
  const map = readMap(json, AREA, [], GRANTED_ROLES)
  const listOf = (role: GrantedRole): readonly string[] => {
    const accounts = readList(map[role] ?? [], AREA, role, MOST_MEMBERS, account => readAddress(account, role))
    if (new Set(accounts).size !== accounts.length) {
      throw new SalusError('DEPLOYMENT_SHAPE', `Refused: an account stands twice under "${role}".`)
    }
    return accounts
  }
  return Object.fromEntries(GRANTED_ROLES.map(role => [role, listOf(role)])) as unknown as Members
}

/** An account's address with the mixed case of EIP-55; the zero address is nobody's. */
export function readAddress(value: unknown, field: string): string {
  if (typeof value !== 'string' || !isAddress(value) || BigInt(value) === 0n) {
    throw new SalusError('DEPLOYMENT_SHAPE', `Refused: "${field}" must be the Ethereum address of an account.`)
  }
  return getAddress(value)
}
