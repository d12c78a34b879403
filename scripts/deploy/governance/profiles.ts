/** The table of delays: how long each role waits before it may do what it has announced. */
import { GRANTED_ROLES, type GrantedRole, type Profile } from '#core/chain/roles.ts'

const HOUR = 3_600
const DAY = 24 * HOUR

/** What a role's members are held to. All in seconds. */
export interface RoleTerms {
  /** Between announcing a call and making it. */
  readonly executionDelay: number
  /** Between being given the role and having it. */
  readonly grantDelay: number
}

/** One profile's table. */
export interface ProfileTerms {
  /** Administration: giving and taking roles, changing this table. */
  readonly admin: RoleTerms
  readonly roles: Readonly<Record<GrantedRole, RoleTerms>>
  /** Between announcing and making a change of who may call what, or of a contract's authority. */
  readonly targetAdminDelay: number
  /** Whether the governor has to be a contract, such as a multisig or a timelock. */
  readonly governorIsContract: boolean
  /** Roles without which the network would stand still, or nobody would be held to account. */
  readonly mustHaveMembers: readonly GrantedRole[]
}

/** Who may cancel what another role has announced, and stop things at once. */
export const GUARDIAN: GrantedRole = 'PAUSER'

/**
 * Nobody else lets go on, stops, lets hospitals in, or reviews emergencies. Without a `LEDGER_KEEPER` no question to research data is
 * booked, and so none is answered; an `AUDITOR` does nothing on the chain. Both may be missing.
 */
const INDISPENSABLE: readonly GrantedRole[] = ['GOVERNOR', 'PAUSER', 'ACCREDITOR', 'REVIEWER']

const AT_ONCE: RoleTerms = { executionDelay: 0, grantDelay: 0 }
const after = (executionDelay: number, grantDelay = executionDelay): RoleTerms => ({ executionDelay, grantDelay })

/** Stopping is never delayed. What only looks, counts or answers may act at once, but becomes a role slowly. */
export const PROFILE_TERMS: Readonly<Record<Profile, ProfileTerms>> = {
  dev: {
    admin: AT_ONCE,
    roles: {
      GOVERNOR: AT_ONCE,
      PAUSER: AT_ONCE,
      ACCREDITOR: AT_ONCE,
      REVIEWER: AT_ONCE,
      LEDGER_KEEPER: AT_ONCE,
      AUDITOR: AT_ONCE
    },
    targetAdminDelay: 0,
    governorIsContract: false,
    mustHaveMembers: GRANTED_ROLES
  },
  consortium: {
    admin: after(2 * DAY),
    roles: {
      GOVERNOR: after(2 * DAY),
      PAUSER: AT_ONCE,
      ACCREDITOR: after(DAY),
      REVIEWER: after(0, DAY),
      LEDGER_KEEPER: after(0, DAY),
      AUDITOR: after(0, DAY)
    },
    targetAdminDelay: 2 * DAY,
    governorIsContract: false,
    mustHaveMembers: INDISPENSABLE
  },
  public: {
    admin: after(7 * DAY),
    roles: {
      GOVERNOR: after(7 * DAY),
      PAUSER: AT_ONCE,
      ACCREDITOR: after(7 * DAY),
      REVIEWER: after(0, 7 * DAY),
      LEDGER_KEEPER: after(0, 7 * DAY),
      AUDITOR: after(0, 7 * DAY)
    },
    targetAdminDelay: 7 * DAY,
    governorIsContract: true,
    mustHaveMembers: INDISPENSABLE
  }
}
