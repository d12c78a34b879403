import { concat, type Provider } from 'ethers'
import { SalusError } from '#core/error.ts'
import type { Log } from '#node/log.ts'

/** Where EIP-7951 (and before it RIP-7212) puts the check of a P-256 signature. */
const PRECOMPILE = '0x0000000000000000000000000000000000000100'

/** A known answer: the signature of "sample" with SHA-256 in RFC 6979, A.2.5: digest, r, s, x, y. */
const DIGEST = '0xaf2bdbe1aa9b6ec1e2ade1d694f41fc71a831d0268e9891562113d8a62add1bf'
const SIGNATURE_AND_KEY = concat([
  '0xefd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716',
  '0xf7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8',
  '0x60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6',
  '0x7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299'
])
const YES = `0x${'00'.repeat(31)}01`

/** Whether the chain checks P-256 signatures itself: says yes to a good one, and nothing to one of another digest. */
export async function hasP256Precompile(provider: Provider): Promise<boolean> {
  const [good, bad] = await Promise.all(
    [DIGEST, `${DIGEST.slice(0, -1)}e`].map(digest =>
      provider.call({ to: PRECOMPILE, data: concat([digest, SIGNATURE_AND_KEY]) })
    )
  )
  return good === YES && bad === '0x'
}

/**
 * The same, but a chain without it is refused unless that is allowed.
 *
 * @throws SalusError `DEPLOY_NO_P256`
 */
export async function requireP256(
  provider: Provider,
  { allowNone, log }: { readonly allowNone: boolean; readonly log: Log }
): Promise<boolean> {
  if (await hasP256Precompile(provider)) return true
  if (!allowNone) {
    throw new SalusError(
      'DEPLOY_NO_P256',
      'The chain has no P-256 precompile (EIP-7951): each passkey signature would cost about 400,000 gas. Choose another chain, or deploy with --allow-no-p256 for wallets alone.'
    )
  }
  log.warn('THE CHAIN HAS NO P-256 PRECOMPILE: passkeys and P-256 keys cost about 400,000 gas for each signature here')
  return false
}
