/** What a transaction offers for its gas (EIP-1559), and how much more one offers that takes its place. */
import { SalusError } from '#core/error.ts'

/** Offer for a unit of gas, wei. */
export interface GasOffer {
  readonly maxFeePerGas: bigint
  readonly maxPriorityFeePerGas: bigint
}

/** Clients take a replacement from 10 % more on, some from 12.5 %. */
const BUMP_EIGHTHS = 9n

/**
 * An offer within a cap.
 *
 * @param suggested - by the chain's present fees
 * @param cap - most wei for a unit of gas
 * @throws SalusError `RELAY_FEE_CAP` where not even half of what is suggested fits: that is about what the next block costs
 */
export function offerWithin(suggested: GasOffer, cap: bigint): GasOffer {
  if (suggested.maxFeePerGas <= cap) return suggested
  if (2n * cap < suggested.maxFeePerGas) {
    throw new SalusError('RELAY_FEE_CAP', 'The chain’s fees are higher than this node pays; ask again later.')
  }
  return { maxFeePerGas: cap, maxPriorityFeePerGas: least(suggested.maxPriorityFeePerGas, cap) }
}

/** The offer of a replacement: at least an eighth more of both, or what is usual now; `undefined` where the cap forbids it. */
export function replacementOffer(before: GasOffer, suggested: GasOffer, cap: bigint): GasOffer | undefined {
  const more = (value: bigint): bigint => (value * BUMP_EIGHTHS + 7n) / 8n + (value === 0n ? 1n : 0n)
  const [fee, tip] = [more(before.maxFeePerGas), more(before.maxPriorityFeePerGas)]
  if (fee > cap) return undefined
  const maxFeePerGas = least(most(fee, suggested.maxFeePerGas), cap)
  return { maxFeePerGas, maxPriorityFeePerGas: least(most(tip, suggested.maxPriorityFeePerGas), maxFeePerGas) }
}

function least(a: bigint, b: bigint): bigint {
  return a < b ? a : b
}

function most(a: bigint, b: bigint): bigint {
  return a > b ? a : b
}
