/** Which release a device should run. */
import { concat, getBytes, keccak256, toBeHex } from 'ethers'
import { SalusError } from '#core/error.ts'
import type { DeviceState } from '#core/firmware/device-state.ts'
import type { HeadFacts, ReleaseStatus } from '#core/firmware/facts.ts'

/** Nothing to do, or a sequence to fetch and verify. */
export type Selection = { readonly kind: 'current' } | { readonly kind: 'install'; readonly sequence: number }

const ALL_BPS = 10_000n

/**
 * Chooses among the releases of a model.
 *
 * @param head - checked by {@link checkHead}
 * @param latestStatus - of `head.latest`; says why there is nothing to install
 * @throws SalusError `FIRMWARE_NONE` nothing was ever published; `FIRMWARE_HELD`, `FIRMWARE_YANKED` all that could be
 * installed, or what is installed, was stopped by its maker; `FIRMWARE_NOT_ACTIVE` what was published has not started;
 * `FIRMWARE_NOT_IN_ROLLOUT` it is not for this device yet; `FIRMWARE_BELOW_MINIMUM` the only candidate is older than the
 * maker's minimum
 */
export function selectRelease(head: HeadFacts, latestStatus: ReleaseStatus, state: DeviceState): Selection {
  if (head.latest === 0) throw new SalusError('FIRMWARE_NONE', 'No firmware was published for this model yet.')
  const installed = state.installed?.sequence ?? 0
  // Who has it keeps it, also if the share of devices was made smaller since.
  if (installed > 0 && installed === head.staged) return { kind: 'current' }
  const candidate = head.staged > head.active && isInRollout(head, state) ? head.staged : head.active
  if (candidate === 0 || candidate < installed) throw unavailable(latestStatus)
  if (candidate === installed) return { kind: 'current' }
  if (candidate < head.minimum) {
    throw new SalusError('FIRMWARE_BELOW_MINIMUM', 'Refused: the newest usable release is below the maker’s minimum.')
  }
  return { kind: 'install', sequence: candidate }
}

/**
 * Whether the staged release is for this device. It draws for each release anew, so that it is not always the same devices
 * that go first; 64 bits, so that no share is favoured.
 */
export function isInRollout({ model, staged, rolloutBps }: HeadFacts, { rolloutSalt }: DeviceState): boolean {
  const digest = keccak256(concat([rolloutSalt, model, toBeHex(staged, 4)]))
  return new DataView(getBytes(digest).buffer).getBigUint64(0) % ALL_BPS < BigInt(rolloutBps)
}

/** Why a device that looked for something newer finds nothing it may move to. */
function unavailable(status: ReleaseStatus): SalusError {
  if (status === 'held') {
    return new SalusError('FIRMWARE_HELD', 'Refused: the maker put this release on hold. Keep what runs and try later.')
  }
  if (status === 'published') {
    return new SalusError('FIRMWARE_NOT_ACTIVE', 'What was published has not started yet. Try later.')
  }
  if (status === 'staged') {
    return new SalusError('FIRMWARE_NOT_IN_ROLLOUT', 'The newest release is for other devices first. Try later.')
  }
  return new SalusError('FIRMWARE_YANKED', 'Refused: the maker withdrew this release for good. Wait for a newer one.')
}
