/** Credentials as the chain has them (docs/specs/contracts-credentials.md), from the registry's events, in their order. */
import { Interface } from 'ethers'
import { credentialRegistryAbi } from '#core/abi/CredentialRegistry.ts'
import type { ChainLog } from '#core/chain/events.ts'
import type { CredentialFacts } from '#core/consent/role-rules.ts'
import { SalusError } from '#core/error.ts'

const ADDRESS_BITS = 160n
const UINT32 = 0xffff_ffffn
const UINT16 = 0xffffn

/** A credential with its name on the chain. */
export interface HeldCredential extends CredentialFacts {
  /** `0x…`, 32 bytes. */
  readonly id: string
  /** `0x…`, 32 bytes. */
  readonly organisation: string
  /** Seconds since 1970-01-01. */
  readonly notBeforeS: number
}

interface Issued {
  readonly organisation: string
  readonly terms: bigint
  isRevoked: boolean
}

/**
 * The credentials of one holder.
 *
 * @param logs - all of the registry's, in the order of the chain: asking for those of one holder would tell the endpoint who is meant
 * @param holder - address, `0x…`, lower case
 * @throws SalusError `CHAIN_LOG_MALFORMED`
 */
export function credentialsIn(logs: readonly ChainLog[], holder: string): HeldCredential[] {
  const registry = new Interface(credentialRegistryAbi)
  const inForce = new Map<string, boolean>()
  const issued = new Map<string, Issued>()
  for (const log of logs) {
    const { name = '', args } = parse(registry, log) ?? {}
    const organisation = String(args?.['organisation'])
    const credential = String(args?.['credential'])
    if (/^Organisation(?:Accredited|Reinstated)$/.test(name)) inForce.set(organisation, true)
    if (/^Organisation(?:Suspended|Excluded)$/.test(name)) inForce.set(organisation, false)
    if (name === 'CredentialIssued') {
      issued.set(credential, { organisation, terms: BigInt(String(args?.['terms'])), isRevoked: false })
    }
    const known = name === 'CredentialRevoked' ? issued.get(credential) : undefined
    if (known != null) known.isRevoked = true
  }
  return [...issued].flatMap(([id, { organisation, terms, isRevoked }]) => {
    if (holderOf(terms) !== holder) return []
    return {
      id,
      organisation,
      notBeforeS: Number((terms >> ADDRESS_BITS) & UINT32),
      expiresAtS: Number((terms >> 192n) & UINT32),
      role: Number((terms >> 224n) & UINT16),
      specialty: Number((terms >> 240n) & UINT16),
      isRevoked,
      isOrganisationInForce: inForce.get(organisation) === true
    }
  })
}

function holderOf(terms: bigint): string {
  return `0x${(terms & ((1n << ADDRESS_BITS) - 1n)).toString(16).padStart(40, '0')}`
}

function parse(registry: Interface, log: ChainLog) {
  try {
    return registry.parseLog(log)
  } catch (cause) {
    throw new SalusError(
      'CHAIN_LOG_MALFORMED',
      'The RPC endpoint gave a log that is not of its contract; use another.',
      {
        cause
      }
    )
  }
}
