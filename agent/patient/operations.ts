/** Takes what was decided to the chain and the network, again after a crash, until it is done (docs/specs/agent-state.md). */
import type { Operation, PatientAccount } from '#core/agent/agent-state.ts'
import type { ChainCall } from '#core/agent/chain-call.ts'
import { grantCall } from '#core/agent/patient-grant.ts'
import { registrationCall } from '#core/agent/patient-registration.ts'
import { revocationCall } from '#core/agent/patient-revocation.ts'
import type { GivenGrant } from '#core/agent/patient-state.ts'
import { equalBytes, toHex } from '#core/encoding/bytes.ts'
import { isSalusError, SalusError } from '#core/error.ts'
import { secondsOf } from '#agent/components.ts'
import { followBlock } from '#agent/network/follow-block.ts'
import { relay } from '#agent/network/record.ts'
import { guardianCall } from '#agent/custody/guardian-call.ts'
import { deliverShare } from '#agent/custody/custodians.ts'
import { changePatient } from '#agent/patient/change.ts'
import { createDrain, type DrainComponents } from '#agent/patient/drain.ts'
import { isKnown, isTransient } from '#agent/patient/refusals.ts'
import { handInMessage } from '#agent/patient/rotations.ts'
import { createUndo } from '#agent/patient/undo.ts'
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

/** Makes the service. */
export function createOperations(components: DrainComponents): Operations {
  const { node, keeper, accounts, backups, clock, deployment, log } = components
  const drain = createDrain(components)
  const undo = createUndo(components)
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
    if (call != null) {
      const blockNumber = await relay(node, call)
      undo.took(operation)
      await followBlock({ node, clock }, blockNumber)
    }
    for (const message of operation.messages) {
      await handInMessage(components, operation, message).catch((error: unknown) => {
        if (!isKnown(error)) throw error
      })
    }
    await forget(operation)
    if (operation.kind === 'register') await backups.pushIfDue()
  }

  async function forget(operation: Operation): Promise<void> {
    await changePatient(keeper, account => ({
      ...account,
      operations: account.operations.filter(({ id }) => !equalBytes(id, operation.id))
    }))
  }

  /** Once its maker has been told that it waits, a registration has entries built on it: it is kept, whatever the chain says. */
  async function undoLater(operation: Operation): Promise<void> {
    if (operation.kind !== 'register') await undo.undo(operation)
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
      if (!isSalusError(error)) throw error
      if (await undo.stands(operation)) {
        log.error({ code: error.code, kind: operation.kind }, 'an operation that the chain has is refused further on')
        return { state: 'waiting', code: error.code }
      }
      await undoRefused(operation)
      throw error
    }
  }

  return {
    run: async id =>
      alone(async () => {
        const { account } = await accounts.patient()
        const operation = account.operations.find(each => equalBytes(each.id, id))
        return operation == null ? { state: 'done' } : attempt(operation, async refused => undo.undo(refused))
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
            // What is refused must not keep the entries in the outbox back.
            if (!isSalusError(error)) throw error
            log.warn({ code: error.code }, 'the backup waits')
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
