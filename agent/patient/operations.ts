/** Takes what was decided to the chain and the network, again after a crash, until it is done (docs/specs/agent-state.md). */
import { setTimeout as pause } from 'node:timers/promises'
import type { Operation, PatientAccount } from '#core/agent/agent-state.ts'
import type { ChainCall } from '#core/agent/chain-call.ts'
import { grantCall } from '#core/agent/patient-grant.ts'
import { registrationCall } from '#core/agent/patient-registration.ts'
import { revocationCall } from '#core/agent/patient-revocation.ts'
import type { GivenGrant } from '#core/agent/patient-state.ts'
import { equalBytes, toHex } from '#core/encoding/bytes.ts'
import { isSalusError, SalusError } from '#core/error.ts'
import type { Accounts } from '#agent/accounts.ts'
import { secondsOf, type AgentComponents } from '#agent/components.ts'
import { publishPacked, relay } from '#agent/network/record.ts'
import { guardianCall } from '#agent/custody/guardian-call.ts'
import { deliverShare } from '#agent/custody/custodians.ts'
import type { Backups } from '#agent/patient/backups.ts'
import { changePatient } from '#agent/patient/change.ts'
import { createDrain } from '#agent/patient/drain.ts'
import { isKnown, isTransient } from '#agent/patient/refusals.ts'
import type { WalletSigner } from '#agent/vault/wallet.ts'

/** Where an operation stands; `waiting` names the code of what holds it up. */
export type Progress = { readonly state: 'done' } | { readonly state: 'waiting'; readonly code: string }

/** Takes operations to their end. */
export interface Operations {
  /**
   * Takes one as far as it goes now; the rest follows by itself.
   *
   * @throws SalusError what the chain refuses it with; a grant or registration is then forgotten
   */
  run(id: Uint8Array): Promise<Progress>
  /** Takes all that is under way, and the outbox, as far as they go now; how many wait still. */
  resume(): Promise<number>
}

/** Until when a relayer may submit what is signed now. */
const DEADLINE_S = 3600
/** Longest wait for a node to see a block that it has just put a request in. */
const FOLLOW_MS = 30_000
const LOOK_MS = 100

/** Makes the service. */
export function createOperations(
  components: AgentComponents & { readonly accounts: Accounts; readonly backups: Backups }
): Operations {
  const { node, keeper, accounts, backups, clock, deployment, log } = components
  const drain = createDrain(components)
  let queue: Promise<unknown> = Promise.resolve()

  async function alone<T>(act: () => Promise<T>): Promise<T> {
    const turn = queue.then(act)
    queue = turn.catch(() => undefined)
    return turn
  }

  async function callOf(operation: Operation): Promise<ChainCall | undefined> {
    const { account, keys, wallet } = await accounts.patient()
    const { state } = account
    const { kind, grantId } = operation
    if (kind === 'replace' || kind === 'erase') return undefined
    checkControl(account, wallet)
    // A device whose clock is behind the chain's would sign what has expired.
    const nowS = Math.max(secondsOf(clock), (await node.status()).chain.blockTimeS)
    const deadlineS = nowS + DEADLINE_S
    const by = { state, target: deployment, deadlineS, signTypedData: wallet.signTypedData }
    if (kind === 'register') return registrationCall(state, keys, by)
    if (kind === 'guardians') return guardianCall(components, account, by)
    const given = grantOf(account, grantId)
    return kind === 'grant' ? grantCall(by, given) : revocationCall(by, given)
  }

  async function perform(operation: Operation): Promise<void> {
    // Before the chain learns of a grant, so that whoever recovers the seed tomorrow can end it.
    if (operation.kind !== 'register') await backups.pushIfDue()
    // Custodians have the keys before there is a grant that could be claimed.
    for (const share of operation.shares ?? []) await deliverShare(components.p, share)
    const call = await callOf(operation)
    if (call != null) await followed(await relay(node, call))
    for (const message of operation.messages) {
      await publishPacked(node, { message, blob: null }).catch((error: unknown) => {
        if (!isKnown(error)) throw error
      })
    }
    await forget(operation)
    if (operation.kind === 'register') await backups.pushIfDue()
  }

  async function followed(blockNumber: number): Promise<void> {
    const deadline = clock() + FOLLOW_MS
    while ((await node.status()).chain.blockNumber < blockNumber && clock() < deadline) await pause(LOOK_MS)
  }

  async function forget(operation: Operation): Promise<void> {
    await changePatient(keeper, account => ({
      ...account,
      operations: account.operations.filter(({ id }) => !equalBytes(id, operation.id))
    }))
  }

  /** What the chain refuses for good never was. A revocation stays: that somebody keeps access must not go unnoticed. */
  async function undo(operation: Operation): Promise<void> {
    if (operation.kind === 'revoke' || operation.kind === 'replace') return
    await keeper.update(state => {
      if (state.patient == null || operation.kind === 'register') return { ...state, patient: null }
      const { patient } = state
      const operations = patient.operations.filter(({ id }) => !equalBytes(id, operation.id))
      if (operation.kind === 'guardians' || operation.kind === 'erase')
        return { ...state, patient: { ...patient, operations } }
      const grants = patient.state.grants.filter(({ grantId }) => !equalBytes(grantId, operation.grantId ?? grantId))
      return { ...state, patient: { ...patient, operations, state: { ...patient.state, grants } } }
    })
  }

  /** Once its maker has been told that it waits, a registration has entries built on it: it is kept, whatever the chain says. */
  async function undoLater(operation: Operation): Promise<void> {
    if (operation.kind !== 'register') await undo(operation)
  }

  async function attempt(operation: Operation, undoRefused: (refused: Operation) => Promise<void>): Promise<Progress> {
    try {
      await perform(operation)
      return { state: 'done' }
    } catch (error) {
      if (isTransient(error)) {
        log.warn({ code: error.code, kind: operation.kind }, 'an operation waits')
        return { state: 'waiting', code: error.code }
      }
      if (isSalusError(error)) await undoRefused(operation)
      throw error
    }
  }

  return {
    run: async id =>
      alone(async () => {
        const { account } = await accounts.patient()
        const operation = account.operations.find(each => equalBytes(each.id, id))
        return operation == null ? { state: 'done' } : attempt(operation, undo)
      }),
    resume: async () =>
      alone(async () => {
        let waiting = 0
        for (const operation of keeper.state().patient?.operations ?? []) {
          const progress = await attempt(operation, undoLater).catch((error: unknown): Progress => {
            if (!isSalusError(error)) throw error
            log.error({ code: error.code, kind: operation.kind }, 'an operation was refused')
            return { state: 'waiting', code: error.code }
          })
          if (progress.state === 'waiting') waiting++
        }
        const account = keeper.state().patient
        if (account?.backup.isDue === true && account.operations.every(({ kind }) => kind !== 'register')) {
          await backups.pushIfDue().catch((error: unknown) => {
            if (!isTransient(error)) throw error
            waiting++
          })
        }
        return waiting + (await drain())
      })
  }
}

/**
 * Refuses where the chain would: only the wallet that the chain knows may grant and revoke.
 *
 * @throws SalusError `WALLET_NOT_IN_CONTROL`
 */
export function checkControl({ state }: PatientAccount, wallet: Pick<WalletSigner, 'address'>): void {
  if (equalBytes(wallet.address, state.signer)) return
  throw new SalusError(
    'WALLET_NOT_IN_CONTROL',
    'This agent’s wallet does not control the record; finish the recovery, or add the wallet that does.'
  )
}

/**
 * A grant that the patient gave.
 *
 * @throws SalusError `GRANT_UNKNOWN`
 */
export function grantOf({ state }: PatientAccount, grantId: Uint8Array | null): GivenGrant {
  const given = state.grants.find(each => grantId != null && equalBytes(each.grantId, grantId))
  if (given == null)
    throw new SalusError('GRANT_UNKNOWN', `There is no grant ${grantId == null ? '' : toHex(grantId)}.`)
  return given
}
