/** The person's accounts with the keys that derive from them, for as long as the vault is open. */
import type { ClinicianAccount, PatientAccount } from '#core/agent/agent-state.ts'
import { patientEvidence } from '#core/agent/grantee-requests.ts'
import type { Primitives } from '#core/crypto/primitives.ts'
import { equalBytes } from '#core/encoding/bytes.ts'
import { SalusError } from '#core/error.ts'
import { deriveAgentKeys, type AgentKeys } from '#core/identity/agent-keys.ts'
import type { Keeper } from '#agent/vault/keeper.ts'
import { openWallet, type WalletSigner } from '#agent/vault/wallet.ts'
import { wipe } from '#agent/vault/wipe.ts'

/** A person at work: the account as it is now, its keys, what proves them, and who signs. */
interface At<Account> {
  readonly account: Account
  readonly keys: AgentKeys
  readonly evidence: Uint8Array
  readonly wallet: WalletSigner
}

/** The accounts; each call throws `AGENT_LOCKED` while the vault is shut. */
export interface Accounts {
  /** @throws SalusError `AGENT_NO_PATIENT` */
  patient(): Promise<At<PatientAccount>>
  /** @throws SalusError `AGENT_NO_CLINICIAN` */
  clinician(): Promise<At<ClinicianAccount>>
}

/** Makes the accounts; derived keys are forgotten when the vault is locked. */
export function createAccounts({ p, keeper }: { readonly p: Primitives; readonly keeper: Keeper }): Accounts {
  let derived: { readonly seed: Uint8Array; readonly keys: AgentKeys }[] = []
  let wallets = new WeakMap<PatientAccount['wallet'], WalletSigner>()
  keeper.onChange(status => {
    if (status === 'unlocked') return
    wipe(derived)
    derived = []
    wallets = new WeakMap()
  })

  async function keysOf(seed: Uint8Array): Promise<AgentKeys> {
    const known = derived.find(each => equalBytes(each.seed, seed))
    if (known != null) return known.keys
    const keys = await deriveAgentKeys(p, seed)
    derived.push({ seed: seed.slice(), keys })
    return keys
  }

  /** Opening one takes milliseconds, and every entry asks. */
  function walletOf(kept: PatientAccount['wallet']): WalletSigner {
    const known = wallets.get(kept) ?? openWallet(kept)
    wallets.set(kept, known)
    return known
  }

  return {
    async patient() {
      const account = keeper.state().patient
      if (account == null)
        throw new SalusError('AGENT_NO_PATIENT', 'This agent keeps no patient; make one with "salus patient create".')
      const keys = await keysOf(account.state.seed)
      return { account, keys, evidence: patientEvidence(keys), wallet: walletOf(account.wallet) }
    },
    async clinician() {
      const account = keeper.state().clinician
      if (account == null)
        throw new SalusError(
          'AGENT_NO_CLINICIAN',
          'This agent keeps no clinician; make one with "salus clinician create".'
        )
      const keys = await keysOf(account.seed)
      return { account, keys, evidence: account.evidence, wallet: walletOf(account.wallet) }
    }
  }
}
