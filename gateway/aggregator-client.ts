/** An aggregator over HTTP (docs/specs/super-root.md). */
import { encodeCanonical } from '#core/encoding/canonical.ts'
import { toHex } from '#core/encoding/bytes.ts'
import { SalusError } from '#core/error.ts'
import type { AggregatorPort } from '#gateway/aggregator-port.ts'
import { decodeRooted, MAX_ROOTED_BYTES } from '#gateway/rooted-codec.ts'

const TIMEOUT_MS = 10_000
const CBOR = 'application/cbor'

/** Where it is. */
export interface AggregatorClientInit {
  readonly url: string
  /** Ends what is under way. */
  readonly signal: AbortSignal
}

/**
 * Makes the client.
 *
 * @throws SalusError (from its calls) `AGGREGATOR_UNREACHABLE`, `AGGREGATOR_BUSY`, `AGGREGATOR_REFUSED`, `ROOTED_*`
 */
export function createAggregatorClient({ url, signal }: AggregatorClientInit): AggregatorPort {
  const base = url.replace(/\/$/, '')

  async function call(path: string, init: RequestInit): Promise<{ status: number; bytes: Uint8Array }> {
    try {
      const limit = AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)])
      const response = await fetch(`${base}${path}`, { ...init, signal: limit })
      const length = Number(response.headers.get('content-length') ?? 0)
      if (!(length <= MAX_ROOTED_BYTES)) throw new Error('the answer is too long')
      return { status: response.status, bytes: new Uint8Array(await response.arrayBuffer()) }
    } catch (cause) {
      throw new SalusError('AGGREGATOR_UNREACHABLE', 'The aggregator does not answer.', { cause })
    }
  }

  function refuse(status: number): never {
    if (status === 503) throw new SalusError('AGGREGATOR_BUSY', 'The aggregator takes no more heads for now.')
    throw new SalusError('AGGREGATOR_REFUSED', 'The aggregator does not take this head.')
  }

  return {
    async submit({ bytes: head, signature }, evidence) {
      const body = encodeCanonical({ v: 1, head, signature, evidence })
      const { status } = await call('/v1/heads', { method: 'POST', body, headers: { 'content-type': CBOR } })
      if (status !== 202) refuse(status)
    },
    async find(gateway, sequence) {
      const { status, bytes } = await call(`/v1/heads/${toHex(gateway).slice(2)}/${String(sequence)}`, {})
      if (status === 404) return null
      if (status !== 200) refuse(status)
      return decodeRooted(bytes)
    }
  }
}
