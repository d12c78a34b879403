/** What a maker does on the chain with its root keys: replaces keys. */
import type { Wallet } from 'ethers'
import { keysetRotationTypes } from '#core/abi/typed-data/firmware.ts'
import type { Hex } from '#core/chain/events.ts'
import { keysetsDigest, type Keysets } from '#core/firmware/keyset.ts'
import { approve } from '#node/firmware/approvals.ts'
import { DEADLINE_S, keysetsTuple, send, type MakerComponents } from '#node/firmware/publish.ts'

/**
 * Proposes new keys. They come in force 48 hours later at the earliest; until then no release key counts.
 *
 * @param oldKeys - root keys in force, at least the threshold
 * @param newKeys - new root keys, at least their threshold
 * @throws SalusError `FIRMWARE_KEY_UNKNOWN`, `FIRMWARE_KEYS_TOO_FEW`, or what the registry and sending throw
 */
export async function proposeRotation(
  { registry, submit }: MakerComponents,
  { model, next }: { readonly model: Hex; readonly next: Keysets },
  oldKeys: readonly Wallet[],
  newKeys: readonly Wallet[]
): Promise<void> {
  const { manufacturer, rotationNonce: nonce, keys } = await registry.maker(model)
  const deadline = String((await registry.newestBlockTimeS()) + DEADLINE_S)
  const value = { manufacturer, keysets: keysetsDigest(next), nonce, deadline }
  const statement = { types: keysetRotationTypes, value }
  const byOld = approve(registry, statement, keys.root, oldKeys)
  const byNew = approve(registry, statement, next.root, newKeys)
  await send(submit, 'proposeRotation', [manufacturer, keysetsTuple(next), nonce, deadline, byOld, byNew])
}

/**
 * Puts proposed keys in force, once they are due. Needs no key.
 *
 * @throws SalusError what the registry and sending throw, such as `CHAIN_ROTATION_NOT_DUE`
 */
export async function completeRotation(
  { registry, submit }: MakerComponents,
  { model, next }: { readonly model: Hex; readonly next: Keysets }
): Promise<void> {
  const { manufacturer } = await registry.maker(model)
  await send(submit, 'completeRotation', [manufacturer, keysetsTuple(next)])
}
