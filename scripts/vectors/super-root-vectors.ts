/** Vectors of docs/specs/super-root.md. */
import type { Primitives } from '#core/crypto/primitives.ts'
import { toHex } from '#core/encoding/bytes.ts'
import { signGatewayHead } from '#core/batch/gateway-head.ts'
import { buildSuperRoot } from '#core/batch/super-root.ts'
import { invalidForms, NETWORK } from '#scripts/vectors/vector-file.ts'

const SEED = new Uint8Array(32).fill(7)
const GATEWAYS = 5

/** Five gateways' heads under one super-root, one of them not its gateway's first. */
export function superRootVectors(p: Primitives): Record<string, unknown> {
  const heads = Array.from({ length: GATEWAYS }, (_, i) =>
    signGatewayHead(
      p,
      {
        network: NETWORK,
        gateway: p.sha256(Uint8Array.of(i)),
        sequence: i === 3 ? 2 : 1,
        treeSize: 100 + i,
        root: p.sha256(Uint8Array.of(100 + i)),
        previousRoot: i === 3 ? p.sha256(Uint8Array.of(200)) : null
      },
      SEED
    )
  )
  const { root, paths } = buildSuperRoot(p, heads)
  const [first] = paths
  return {
    'super-root': {
      description: 'Heads of gateways under one super-root; docs/specs/super-root.md',
      signKey: toHex(p.ed25519PublicKey(SEED)),
      root: toHex(root),
      heads: paths.map(({ signed: { bytes, signature }, index, path }) => ({
        bytes: toHex(bytes),
        signature: toHex(signature),
        index,
        path: path.map(toHex)
      })),
      // The head's own fields are compared by whoever reads it, not by the decoder.
      invalid: invalidForms('GATEWAY_HEAD', first?.signed.bytes ?? new Uint8Array(0)).filter(
        ({ code }) => !code.endsWith('_NETWORK') && !code.endsWith('_PATIENT')
      )
    }
  }
}
