/** What an `AccessManager` holds, told from its events: it offers no list of members, so a getter cannot show who is too many. */
import { ZeroAddress, type LogDescription } from 'ethers'

/** A delay and, where it was changed lately, the one that is still in force. */
export interface Delay {
  readonly seconds: number
  /** Before this time the earlier delay holds. */
  readonly since: number
}

/** One account in a role. */
export interface Membership {
  /** From when it has the role. */
  readonly since: number
  readonly executionDelay: Delay
}

/** One role; `admin` and `guardian` are roles too. */
export interface RoleState {
  label: string
  admin: bigint
  guardian: bigint
  grantDelay: Delay
  readonly members: Map<string, Membership>
}

/** One contract under the manager. */
export interface TargetState {
  closed: boolean
  adminDelay: Delay
  /** By selector. */
  readonly functions: Map<string, bigint>
}

/** A call that was announced and neither made nor cancelled. */
export interface Operation {
  readonly caller: string
  readonly target: string
  readonly data: string
  readonly readyAt: number
}

/** Everything, with the defaults of what was never set left out. */
export interface ManagerState {
  readonly roles: Map<bigint, RoleState>
  readonly targets: Map<string, TargetState>
  readonly operations: Map<string, Operation>
}

const NONE: Delay = { seconds: 0, since: 0 }

/** The state of a manager that has no events yet. */
export function emptyState(): ManagerState {
  return { roles: new Map(), targets: new Map(), operations: new Map() }
}

/** One role, as it stands or as it is before anything is set. */
export function roleOf({ roles }: ManagerState, id: bigint): RoleState {
  const role = roles.get(id) ?? { label: '', admin: 0n, guardian: 0n, grantDelay: NONE, members: new Map() }
  roles.set(id, role)
  return role
}

/** One contract, likewise. */
export function targetOf({ targets }: ManagerState, address: string): TargetState {
  const target = targets.get(address) ?? { closed: false, adminDelay: NONE, functions: new Map() }
  targets.set(address, target)
  return target
}

/** Takes in one event; they must come in the order of the chain, all of them. */
export function applyEvent(state: ManagerState, { name, args }: LogDescription): void {
  const role = (): RoleState => roleOf(state, args['roleId'] as bigint)
  const target = (): TargetState => targetOf(state, String(args['target'] ?? ZeroAddress))
  const delayOf = (field: string): Delay => ({ seconds: Number(args[field]), since: Number(args['since']) })
  if (name === 'RoleLabel') role().label = String(args['label'])
  else if (name === 'RoleAdminChanged') role().admin = args['admin'] as bigint
  else if (name === 'RoleGuardianChanged') role().guardian = args['guardian'] as bigint
  else if (name === 'RoleGrantDelayChanged') role().grantDelay = delayOf('delay')
  else if (name === 'RoleRevoked') role().members.delete(String(args['account']))
  else if (name === 'RoleGranted') {
    const { members } = role()
    const delay = delayOf('delay')
    // For a new member `since` is when it has the role; for another, when its new delay begins.
    const earlier = args['newMember'] === true ? undefined : members.get(String(args['account']))
    members.set(String(args['account']), {
      since: earlier?.since ?? delay.since,
      executionDelay: earlier == null ? { ...delay, since: 0 } : delay
    })
  } else if (name === 'TargetClosed') target().closed = args['closed'] === true
  else if (name === 'TargetAdminDelayUpdated') target().adminDelay = delayOf('delay')
  else if (name === 'TargetFunctionRoleUpdated') {
    target().functions.set(String(args['selector']), args['roleId'] as bigint)
  } else if (name === 'OperationScheduled') {
    const { caller, target: to, data, schedule } = args
    const operation = { caller: String(caller), target: String(to), data: String(data), readyAt: Number(schedule) }
    state.operations.set(String(args['operationId']), operation)
  } else if (name === 'OperationExecuted' || name === 'OperationCanceled') {
    state.operations.delete(String(args['operationId']))
  }
}
