/** Who governs: the roles in the `AccessManager`, under ids that every network uses. */

/** What the roles other than `ADMIN` are for stands in docs/guides/contracts.md. */
export const GRANTED_ROLES = ['GOVERNOR', 'PAUSER', 'ACCREDITOR', 'REVIEWER', 'LEDGER_KEEPER', 'AUDITOR'] as const

/** A role that an administrator gives to accounts. */
export type GrantedRole = (typeof GRANTED_ROLES)[number]

/** A role; `ADMIN` gives and takes the others. */
export type Role = 'ADMIN' | GrantedRole

/** Every role, `ADMIN` first. */
export const ROLES: readonly Role[] = ['ADMIN', ...GRANTED_ROLES]

/** The number of a role in the `AccessManager`: 0 is its administrator's, the others follow in order. */
export function roleId(role: Role): bigint {
  return BigInt(ROLES.indexOf(role))
}

/** How a network is governed: how long what can hurt must wait, and what the governor has to be. */
export const PROFILES = ['dev', 'consortium', 'public'] as const

/** Name of a profile. */
export type Profile = (typeof PROFILES)[number]
