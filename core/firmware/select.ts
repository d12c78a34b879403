/** Which release a device should run. */
import { SalusError } from '#core/error.ts'
import type { DeviceState } from '#core/firmware/device-state.ts'
import type { HeadFacts, ReleaseStatus } from '#core/firmware/facts.ts'

/** Nothing to do, or a sequence to fetch and verify. */
export type Selection = { readonly kind: 'current' } | { readonly kind: 'install'; readonly sequence: number }

/**
 * Chooses among the releases of a model.
 *
 * @param head - checked by {@link checkHead}
 * @param latestStatus - of `head.latest`; says why nothing is active
 * @throws SalusError `FIRMWARE_NONE` nothing was ever published; `FIRMWARE_HELD`, `FIRMWARE_YANKED` all that could be
 * installed, or what is installed, was stopped by its maker; `FIRMWARE_BELOW_MINIMUM` the only candidate is older than
 * the maker's minimum
 */
export function selectRelease(head: HeadFacts, latestStatus: ReleaseStatus, state: DeviceState): Selection {
  if (head.latest === 0) throw new SalusError('FIRMWARE_NONE', 'No firmware was published for this model yet.')
  const installed = state.installed?.sequence ?? 0
  if (head.active === 0 || head.active < installed) throw stopped(latestStatus)
  if (head.active === installed) return { kind: 'current' }
  if (head.active < head.minimum) {
    throw new SalusError('FIRMWARE_BELOW_MINIMUM', 'Refused: the newest usable release is below the maker’s minimum.')
  }
  return { kind: 'install', sequence: head.active }
}

/** Why a device that looked for something newer finds nothing it may move to. */
function stopped(status: ReleaseStatus): SalusError {
  return status === 'held'
    ? new SalusError('FIRMWARE_HELD', 'Refused: the maker put this release on hold. Keep what runs and try later.')
    : new SalusError('FIRMWARE_YANKED', 'Refused: the maker withdrew this release for good. Wait for a newer one.')
}
