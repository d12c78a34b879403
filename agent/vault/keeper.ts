/** Keeps a person's state in a vault on the disk, open in memory for as long as it is unlocked (docs/specs/vault.md). */
import { access, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { AgentState } from '#core/agent/agent-state.ts'
import { decodeAgentState, encodeAgentState } from '#core/agent/agent-state-codec.ts'
import { passphraseUnlocker } from '#core/agent/passphrase-lock.ts'
import type { ScryptCost, Stretch } from '#core/crypto/scrypt.ts'
import { checkPassphrase } from '#core/agent/passphrase-strength.ts'
import { createVault, openVault, sealVault, wipeVault, type OpenVault, type Unlocker } from '#core/agent/vault.ts'
import type { Primitives, Random } from '#core/crypto/primitives.ts'
import { SalusError } from '#core/error.ts'
import { wipe } from '#agent/vault/wipe.ts'
import { readIfThere, writeDurably } from '#node/store/durable-file.ts'

const VAULT_FILE = 'vault'

/** What keeping needs. */
export interface KeeperComponents {
  readonly p: Primitives
  readonly random: Random
  readonly stretch: Stretch
}

/** What it may be told. */
export interface KeeperInit {
  /** Folder of the vault. */
  readonly home: string
  /** Work of a passphrase; the usual unless told. */
  readonly cost?: ScryptCost
}

/** A vault that is not there yet, shut, or open. */
export type KeeperStatus = 'empty' | 'locked' | 'unlocked'

/** Keeps the state. */
export interface Keeper {
  status(): Promise<KeeperStatus>
  /** @throws SalusError `VAULT_EXISTS`, `PASSPHRASE_WEAK`, `PASSPHRASE_LENGTH` */
  create(passphrase: string, state: AgentState): Promise<void>
  /** @throws SalusError `VAULT_ABSENT`, and as `openVault` */
  unlock(passphrase: string): Promise<void>
  /** Waits for what is under way, then forgets every key. */
  lock(): Promise<void>
  /** @throws SalusError `VAULT_ABSENT`, `PASSPHRASE_WEAK`, `PASSPHRASE_LENGTH`, and as `openVault` */
  changePassphrase(before: string, after: string): Promise<void>
  /** @throws SalusError as `openVault` */
  checkPassphrase(passphrase: string): Promise<void>
  /** Runs what uses keys; the vault is not shut before it ends. @throws SalusError `AGENT_LOCKED` */
  hold<T>(use: () => Promise<T>): Promise<T>
  /** The state; within `hold`. @throws SalusError `AGENT_LOCKED` */
  state(): AgentState
  /** Changes the state; on the disk when it resolves. One change at a time. @throws SalusError `AGENT_LOCKED`, `VAULT_UNREADABLE` */
  update(change: (state: AgentState) => AgentState | Promise<AgentState>): Promise<AgentState>
  /** Called after each unlocking and each locking. */
  onChange(listener: (status: 'locked' | 'unlocked') => void): void
}

async function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false
  )
}

/** A state that is out of some bound would be a vault that never opens again: nothing is written then. */
function requireReadable(bytes: Uint8Array): void {
  try {
    wipe(decodeAgentState(bytes.slice()))
  } catch (cause) {
    throw new SalusError('VAULT_UNREADABLE', 'Refused: the vault could not be opened again after this change.', {
      cause
    })
  }
}

/** Makes a keeper; the disk is first touched when it is asked. */
export function createKeeper({ p, random, stretch }: KeeperComponents, { home, cost }: KeeperInit): Keeper {
  const path = join(home, VAULT_FILE)
  let open: { readonly vault: OpenVault; state: AgentState } | undefined
  /** While it is being locked. */
  let closing: Promise<void> | undefined
  let holding = 0
  let whenFree: (() => void) | undefined
  let queue: Promise<unknown> = Promise.resolve()
  const listeners: ((status: 'locked' | 'unlocked') => void)[] = []

  const unlockerOf = (passphrase: string): Unlocker =>
    passphraseUnlocker(stretch, random, { passphrase, ...(cost == null ? {} : { cost }) })

  function opened(): NonNullable<typeof open> {
    if (open == null) throw new SalusError('AGENT_LOCKED', 'The vault is locked; unlock it with "salus agent unlock".')
    return open
  }

  /** One after the other: two changes at once would each lose the other. */
  async function alone<T>(act: () => Promise<T>): Promise<T> {
    const turn = queue.then(act)
    queue = turn.catch(() => undefined)
    return turn
  }

  async function write(vault: OpenVault, state: AgentState): Promise<void> {
    const bytes = encodeAgentState(state)
    try {
      requireReadable(bytes)
      await writeDurably(path, sealVault(p, random, { ...vault, state: bytes }))
    } finally {
      bytes.fill(0)
    }
  }

  async function readVault(passphrase: string): Promise<OpenVault> {
    const bytes = await readIfThere(path)
    if (bytes == null) throw new SalusError('VAULT_ABSENT', 'There is no vault yet; create a patient or a clinician.')
    return openVault(p, bytes, unlockerOf(passphrase))
  }

  function enter(vault: OpenVault, state: AgentState): void {
    open = { vault, state }
    for (const each of listeners) each('unlocked')
  }

  async function shut(): Promise<void> {
    if (open == null) return
    if (holding > 0) await new Promise<void>(resolve => (whenFree = resolve))
    await alone(async () => {
      if (open != null) {
        wipe(open.state)
        wipeVault(open.vault)
      }
      open = undefined
      return Promise.resolve()
    })
    for (const each of listeners) each('locked')
  }

  const keeper: Keeper = {
    status: async () => (open != null && closing == null ? 'unlocked' : (await isThere(path)) ? 'locked' : 'empty'),
    create: async (passphrase, state) =>
      alone(async () => {
        if (await isThere(path)) throw new SalusError('VAULT_EXISTS', 'There is a vault here already.')
        checkPassphrase(passphrase)
        await mkdir(home, { recursive: true, mode: 0o700 })
        const vault = await createVault(p, random, [unlockerOf(passphrase)], new Uint8Array())
        await write(vault, state)
        enter(vault, state)
      }),
    async unlock(passphrase) {
      // What is being locked is not open any more: an answer that it is would be wrong at once.
      await closing
      await alone(async () => {
        const vault = await readVault(passphrase)
        if (open == null) enter(vault, decodeAgentState(vault.state))
        else wipeVault(vault)
      })
    },
    async lock() {
      closing ??= shut().finally(() => (closing = undefined))
      await closing
    },
    changePassphrase: async (before, after) =>
      alone(async () => {
        checkPassphrase(after)
        const old = await readVault(before)
        const state = open?.state ?? decodeAgentState(old.state)
        // A new data key: whoever kept the old file and learns its passphrase opens nothing newer with it.
        const vault = await createVault(p, random, [unlockerOf(after)], new Uint8Array())
        await write(vault, state)
        if (open == null) wipe(state)
        else {
          wipeVault(open.vault)
          open = { vault, state }
        }
        wipeVault(old)
      }),
    async checkPassphrase(passphrase) {
      wipeVault(await readVault(passphrase))
    },
    async hold(use) {
      opened()
      if (closing != null) throw new SalusError('AGENT_LOCKED', 'The vault is being locked; unlock it again.')
      holding++
      try {
        return await use()
      } finally {
        holding--
        if (holding === 0) whenFree?.()
      }
    },
    state: () => opened().state,
    update: async change =>
      alone(async () => {
        const now = opened()
        const next = await change(now.state)
        if (next !== now.state) await write(now.vault, next)
        now.state = next
        return next
      }),
    onChange: listener => void listeners.push(listener)
  }
  return keeper
}
