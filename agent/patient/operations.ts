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
import { publishPacked, relay, type OutgoingEntry } from '#agent/network/record.ts'
import type { Backups } from '#agent/patient/backups.ts'
import { changePatient } from '#agent/patient/change.ts'
import { resealEntry } from '#agent/patient/reseal.ts'
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

/** What says nothing about the request: it is tried again. */
const TRANSIENT =
  /^(?:NODE_|RELAY_(?!NOT_ALLOWED)|HTTP_(?:RATE|INTERNAL)|STORE_|CHAIN_(?:UNREACHABLE|RPC_FAILED|NOT_STARTED)|WALLET_UNREACHABLE|PATIENT_UNKNOWN|PATIENT_KEYS|GRANT_UNKNOWN|GRANT_NOT_YET|BLOB_QUOTA|READ_NOT_YET|READ_BUSY)/
/** What means that a node has it, or something newer. */
const KNOWN: readonly string[] = ['CAPSULE_STALE', 'ROTATION_STALE', 'ENTRY_REVISION_USED', 'GRANT_REVOKED']

/** Whether an error will pass by itself. */
export function isTransient(error: unknown): error is SalusError {
  return isSalusError(error) && TRANSIENT.test(error.code)
}

/** Makes the service. */
export function createOperations(
  components: AgentComponents & { readonly accounts: Accounts; readonly backups: Backups }
): Operations {
  const { node, keeper, outbox, accounts, backups, clock, deployment, log } = components
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
    if (kind === 'replace') return undefined
    checkControl(account, wallet)
    const deadlineS = secondsOf(clock) + DEADLINE_S
    const by = { state, target: deployment, deadlineS, signTypedData: wallet.signTypedData }
    if (kind === 'register') return registrationCall(state, keys, by)
    const given = grantOf(account, grantId)
    return kind === 'grant' ? grantCall(by, given) : revocationCall(by, given)
  }

  async function perform(operation: Operation): Promise<void> {
    // Before the chain learns of a grant, so that whoever recovers the seed tomorrow can end it.
    if (operation.kind !== 'register') await backups.pushIfDue()
    const call = await callOf(operation)
    if (call != null) await followed(await relay(node, call))
    for (const message of operation.messages) {
      await publishPacked(node, { message, blob: null }).catch((error: unknown) => {
        if (!isSalusError(error) || !KNOWN.includes(error.code)) throw error
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
      const grants = patient.state.grants.filter(({ grantId }) => !equalBytes(grantId, operation.grantId ?? grantId))
      const operations = patient.operations.filter(({ id }) => !equalBytes(id, operation.id))
      return { ...state, patient: { ...patient, operations, state: { ...patient.state, grants } } }
    })
  }

  async function attempt(operation: Operation): Promise<Progress> {
    try {
      await perform(operation)
      return { state: 'done' }
    } catch (error) {
      if (isTransient(error)) {
        log.warn({ code: error.code, kind: operation.kind }, 'an operation waits')
        return { state: 'waiting', code: error.code }
      }
      if (isSalusError(error)) await undo(operation)
      throw error
    }
  }

  async function drainOutbox(): Promise<number> {
    const seed = keeper.state().deviceSeed
    let waiting = 0
    for (const name of await outbox.names()) {
      const entry = await outbox.read(seed, name)
      if (entry == null) continue
      try {
        await handIn(seed, entry)
      } catch (error) {
        if (!isSalusError(error)) throw error
        if (!KNOWN.includes(error.code)) {
          log.warn({ code: error.code }, 'an entry waits')
          waiting++
          continue
        }
      }
      await outbox.remove(name)
    }
    return waiting
  }

  async function handIn(seed: Uint8Array, entry: OutgoingEntry): Promise<void> {
    try {
      await publishPacked(node, entry)
    } catch (error) {
      if (!isSalusError(error, 'ENTRY_RETIRED')) throw error
      await backups.pull()
      const renewed = await resealEntry(components, entry)
      const name = await outbox.put(seed, renewed)
      await publishPacked(node, renewed)
      await outbox.remove(name)
    }
  }

  return {
    run: async id =>
      alone(async () => {
        const { account } = await accounts.patient()
        const operation = account.operations.find(each => equalBytes(each.id, id))
        return operation == null ? { state: 'done' } : attempt(operation)
      }),
    resume: async () =>
      alone(async () => {
        let waiting = 0
        for (const operation of keeper.state().patient?.operations ?? []) {
          const progress = await attempt(operation).catch((error: unknown): Progress => {
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
        return waiting + (await drainOutbox())
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
