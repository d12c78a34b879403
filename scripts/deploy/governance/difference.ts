/** Compares the table with what an `AccessManager` holds; every difference comes with the call that ends it. */
import { id } from 'ethers'
import type { ContractName } from '#core/chain/contract-names.ts'
import type { DeploymentOrigin } from '#core/chain/deployment-governance.ts'
import { GRANTED_ROLES, ROLES, roleId } from '#core/chain/roles.ts'
import { FUNCTION_ROLES } from '#scripts/deploy/governance/functions.ts'
import { MANAGER } from '#scripts/deploy/governance/manager.ts'
import { GUARDIAN, PROFILE_TERMS } from '#scripts/deploy/governance/profiles.ts'
import { roleOf, targetOf, type ManagerState, type RoleState } from '#scripts/deploy/governance/state.ts'

/** One thing that is not as tabled. */
export interface Difference {
  /** Stable code, listed in docs/errors.md. */
  readonly code: string
  /** What it is about, for example `role ACCREDITOR, 0x…`. */
  readonly subject: string
  readonly expected: string
  readonly found: string
  /** Calldata for the `AccessManager`, to be sent by an administrator. */
  readonly fix: string
}

/** Who governs what. */
export interface Table extends Pick<DeploymentOrigin, 'firstAdmin' | 'governance'> {
  readonly addressOf: (name: ContractName) => string
}

/** What the first administrator sets before it hands over: names, guardians, who may call what, members. */
export function setupDifferences({ governance, addressOf }: Table, state: ManagerState): Difference[] {
  const found: Difference[] = []
  for (const role of GRANTED_ROLES) {
    const { executionDelay } = PROFILE_TERMS[governance.profile].roles[role]
    const now = roleOf(state, roleId(role))
    const differs = differ(found, `role ${role}`)
    differs('VERIFY_ROLE_LABEL', role, now.label, 'labelRole', roleId(role), role)
    differs('VERIFY_ROLE_ADMIN', nameOf(0n), nameOf(now.admin), 'setRoleAdmin', roleId(role), 0n)
    const guardian = role === GUARDIAN ? 'ADMIN' : GUARDIAN
    differs('VERIFY_ROLE_GUARDIAN', guardian, nameOf(now.guardian), 'setRoleGuardian', roleId(role), roleId(guardian))
    found.push(...memberDifferences(roleId(role), now, governance.members[role], executionDelay))
  }
  for (const [id, role] of state.roles) {
    if (ROLES[Number(id)] == null) found.push(...memberDifferences(id, role, [], 0))
  }
  for (const [name, functions] of Object.entries(FUNCTION_ROLES)) {
    const address = addressOf(name as ContractName)
    const now = targetOf(state, address)
    differ(found, name)(
      'VERIFY_TARGET_CLOSED',
      'open',
      now.closed ? 'closed' : 'open',
      'setTargetClosed',
      address,
      false
    )
    const rows = Object.entries(functions).map(
      ([signature, role]) => [id(signature).slice(0, 10), signature, role] as const
    )
    for (const [selector, signature, role] of rows) {
      const holder = nameOf(now.functions.get(selector) ?? 0n)
      const args = [address, [selector], roleId(role)] as const
      differ(found, `${name}.${signature}`)('VERIFY_FUNCTION_ROLE', role, holder, 'setTargetFunctionRole', ...args)
    }
    for (const [selector, holder] of now.functions) {
      if (rows.some(([tabled]) => tabled === selector)) continue
      const args = [address, [selector], 0n] as const
      differ(found, `${name}.${selector}`)(
        'VERIFY_FUNCTION_ROLE',
        'ADMIN',
        nameOf(holder),
        'setTargetFunctionRole',
        ...args
      )
    }
  }
  return found
}

/** What is left for handing over: who administers, after which delay, and how slowly roles come and rules change. */
export function handOverDifferences(table: Table, state: ManagerState): Difference[] {
  const { governance, firstAdmin, addressOf } = table
  const terms = PROFILE_TERMS[governance.profile]
  const found: Difference[] = []
  // The governor first, the first administrator's own leave last: one without the other would leave nobody or two.
  const admins = memberDifferences(0n, roleOf(state, 0n), [governance.governor], terms.admin.executionDelay)
  found.push(...admins.filter(({ code }) => code !== 'VERIFY_MEMBER_EXTRA'))
  for (const role of ROLES) {
    const { grantDelay } = role === 'ADMIN' ? terms.admin : terms.roles[role]
    const now = roleOf(state, roleId(role)).grantDelay.seconds
    differ(found, `role ${role}`)('VERIFY_GRANT_DELAY', grantDelay, now, 'setGrantDelay', roleId(role), grantDelay)
  }
  for (const name of Object.keys(FUNCTION_ROLES) as ContractName[]) {
    const [address, now] = [addressOf(name), targetOf(state, addressOf(name)).adminDelay.seconds]
    const wanted = terms.targetAdminDelay
    differ(found, name)('VERIFY_ADMIN_DELAY', wanted, now, 'setTargetAdminDelay', address, wanted)
  }
  const extra = admins.filter(({ code }) => code === 'VERIFY_MEMBER_EXTRA')
  const isFirst = ({ subject }: Difference): boolean => subject.endsWith(firstAdmin)
  found.push(...extra.filter(admin => !isFirst(admin)), ...extra.filter(isFirst))
  return found
}

/** A role by its name, or its number if the table has none. */
export function nameOf(id: bigint): string {
  return ROLES[Number(id)] ?? `number ${String(id)}`
}

function memberDifferences(id: bigint, { members }: RoleState, tabled: readonly string[], delay: number): Difference[] {
  const found: Difference[] = []
  for (const account of tabled) {
    const seconds = members.get(account)?.executionDelay.seconds
    const code = seconds == null ? 'VERIFY_MEMBER_MISSING' : 'VERIFY_MEMBER_DELAY'
    differ(found, `role ${nameOf(id)}, ${account}`)(
      code,
      delay,
      seconds ?? 'no member',
      'grantRole',
      id,
      account,
      delay
    )
  }
  for (const account of members.keys()) {
    if (tabled.includes(account)) continue
    differ(found, `role ${nameOf(id)}, ${account}`)(
      'VERIFY_MEMBER_EXTRA',
      'no member',
      'a member',
      'revokeRole',
      id,
      account
    )
  }
  return found
}

/** Adds a difference about a subject where expectation and finding are not the same. */
function differ(
  found: Difference[],
  subject: string
): (code: string, expected: string | number, is: string | number, method: string, ...args: readonly unknown[]) => void {
  return (code, expected, is, method, ...args) => {
    if (expected === is) return
    const say = (value: string | number): string => (typeof value === 'number' ? `${String(value)} s` : value)
    const fix = MANAGER.encodeFunctionData(method, args)
    found.push({ code, subject, expected: say(expected), found: say(is), fix })
  }
}
