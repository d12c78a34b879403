/**
 * Shamir's secret sharing, passed in like the other primitives (docs/decisions/0031-secret-sharing.md). A share is the points of
 * the polynomials at one place of GF(2^8), one byte for each byte of the secret, and the place itself as last byte.
 */
import { combine, split } from 'shamir-secret-sharing'

/** Splits and combines secrets. */
export interface SecretSharing {
  /** `count` shares (2 to 255) of which any `threshold` (2 to `count`) give the secret, and fewer nothing. */
  split(secret: Uint8Array, count: number, threshold: number): Promise<readonly Uint8Array[]>
  /** The secret, if there are enough shares and all are sound; otherwise other bytes, or an exception of the library. */
  combine(shares: readonly Uint8Array[]): Promise<Uint8Array>
}

/**
 * The audited library. It draws the polynomials from the platform's WebCrypto and takes no randomness from outside, so it is used only
 * by being passed in: nothing of `core` reaches for it.
 */
export const auditedSharing: SecretSharing = {
  split: async (secret, count, threshold) => split(Uint8Array.from(secret), count, threshold),
  // The library refuses anything but plain byte arrays, such as views of Node's buffers.
  combine: async shares => combine(shares.map(share => Uint8Array.from(share)))
}
