import { hostname } from 'node:os'
import type { AgentClient } from '#agent/cli/client.ts'
import { readNewPassphrase, type PassphraseOptions } from '#agent/cli/passphrase.ts'

/** Makes the vault if there is none; one that is there has to be unlocked. */
export async function ensureVault(
  client: AgentClient,
  options: PassphraseOptions & { readonly device?: string }
): Promise<void> {
  const { state } = await client.get<{ state: string }>('/v1/status')
  if (state !== 'empty') return
  const deviceName = (options.device ?? hostname()).slice(0, 64)
  await client.post('/v1/vault', { passphrase: await readNewPassphrase(options), deviceName })
}
