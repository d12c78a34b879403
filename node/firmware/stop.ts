/** What a maker does on the chain with its guards' keys, and what it says about its releases. */
import type { Wallet } from 'ethers'
import { advisoryTypes, holdTypes, rolloutCutTypes, unholdTypes, yankTypes } from '#core/abi/typed-data/firmware.ts'
import type { Hex } from '#core/chain/events.ts'
import { approve } from '#node/firmware/approvals.ts'
import { DEADLINE_S, send, type MakerComponents } from '#node/firmware/publish.ts'

/** Which release, and the maker's own number for why, 0 to 2^32-1. */
export interface ReleaseToStop {
  readonly model: Hex
  readonly sequence: number
  readonly reason: number
}

/**
 * Stops a release: `hold` for 14 days, `yank` for ever and under every number of its image.
 *
 * @param guard - key of one guard
 * @throws SalusError `FIRMWARE_KEY_UNKNOWN`, or what the registry and sending throw
 */
export async function stopRelease(
  { registry, submit }: MakerComponents,
  action: 'hold' | 'yank',
  { model, sequence, reason }: ReleaseToStop,
  guard: Wallet
): Promise<void> {
  const { keys } = await registry.maker(model)
  const { blockNumber, blockTimeS } = await registry.head(model)
  const deadline = String(blockTimeS + DEADLINE_S)
  if (action === 'hold') {
    const { revision } = await registry.facts(model, sequence)
    const value = { model, sequence, reason, revision, deadline }
    const by = approve(registry, { types: holdTypes, value }, keys.guard, [guard])
    return send(submit, 'hold', [model, sequence, reason, deadline, by])
  }
  const { terms } = await registry.release(model, sequence, blockNumber)
  const { imageSha256 } = terms
  const value = { model, imageSha256, reason, deadline }
  const by = approve(registry, { types: yankTypes, value }, keys.guard, [guard])
  const numbers = await registry.numbersOfImage(model, imageSha256)
  const tuples = numbers.map(number => [number.sequence, number.manifestDigest])
  return send(submit, 'yank', [model, imageSha256, reason, deadline, by, tuples])
}

/**
 * Lets a held release go on, after the delay of its model's class.
 *
 * @param keys - release signers' keys, at least the threshold
 * @throws SalusError `FIRMWARE_KEY_UNKNOWN`, `FIRMWARE_KEYS_TOO_FEW`, or what the registry and sending throw
 */
export async function unholdRelease(
  { registry, submit }: MakerComponents,
  { model, sequence, reason }: ReleaseToStop,
  keys: readonly Wallet[]
): Promise<void> {
  const [{ revision }, maker] = [await registry.facts(model, sequence), await registry.maker(model)]
  const deadline = String((await registry.newestBlockTimeS()) + DEADLINE_S)
  const value = { model, sequence, reason, revision, deadline }
  const by = approve(registry, { types: unholdTypes, value }, maker.keys.release, keys)
  await send(submit, 'unhold', [model, sequence, reason, deadline, by])
}

/**
 * Offers the staged release to fewer devices.
 *
 * @param bps - the share in hundredths of a per cent
 * @param guard - key of one guard
 * @throws SalusError `FIRMWARE_KEY_UNKNOWN`, or what the registry and sending throw
 */
export async function cutRollout(
  { registry, submit }: MakerComponents,
  { model, sequence, bps }: { readonly model: Hex; readonly sequence: number; readonly bps: number },
  guard: Wallet
): Promise<void> {
  const [{ revision }, maker] = [await registry.facts(model, sequence), await registry.maker(model)]
  const deadline = String((await registry.newestBlockTimeS()) + DEADLINE_S)
  const value = { model, sequence, bps, revision, deadline }
  const by = approve(registry, { types: rolloutCutTypes, value }, maker.keys.guard, [guard])
  await send(submit, 'cutRollout', [model, sequence, bps, deadline, by])
}

/** Something to know about releases of a model. */
export interface AdvisoryToAdd {
  readonly model: Hex
  readonly fromSequence: number
  readonly toSequence: number
  /** Name of it, or keccak-256 of a longer one; 32 bytes. */
  readonly vulnerability: Hex
  /** 0 not affected, 1 affected, 2 fixed, 3 under investigation. */
  readonly impact: number
  /** SHA-256 of the document that explains it. */
  readonly documentDigest: Hex
}

/**
 * Says something about releases, for ever.
 *
 * @param guard - key of one guard
 * @throws SalusError `FIRMWARE_KEY_UNKNOWN`, or what the registry and sending throw
 */
export async function addAdvisory(
  { registry, submit }: MakerComponents,
  advisory: AdvisoryToAdd,
  guard: Wallet
): Promise<void> {
  const { keys } = await registry.maker(advisory.model)
  const deadline = String((await registry.newestBlockTimeS()) + DEADLINE_S)
  const { model, fromSequence, toSequence, vulnerability, impact, documentDigest } = advisory
  const by = approve(registry, { types: advisoryTypes, value: { ...advisory, deadline } }, keys.guard, [guard])
  const terms = [model, fromSequence, toSequence, vulnerability, impact, documentDigest, deadline]
  await send(submit, 'addAdvisory', [terms, by])
}
