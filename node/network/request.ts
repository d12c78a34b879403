/** One request and one answer, each a length-prefixed byte string, over a stream of its own. */
import type { Libp2p, PeerId, Stream } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'
import { lpStream } from '@libp2p/utils'
import { anySignal } from 'any-signal'
import { SalusError, isSalusError } from '#core/error.ts'
import type { Log } from '#node/log.ts'
import { PENALTY, type Bans } from '#node/network/bans.ts'
import type { RateLimiter } from '#node/network/rate-limiter.ts'

/** A protocol of one request and one answer. */
export interface RequestProtocol {
  /** libp2p protocol id. */
  readonly id: string
  readonly maxRequestBytes: number
  readonly maxAnswerBytes: number
  /** Time from opening the stream to the answer. */
  readonly timeoutMs: number
}

/** Streams of one protocol that a peer may have open. */
const MAX_STREAMS = 8

/** What answering needs. */
export interface AnswerComponents {
  readonly libp2p: Libp2p
  readonly bans: Bans
  readonly log: Log
  /** Requests of a peer. */
  readonly rate: RateLimiter
}

/** How the requests of a protocol are read and answered. */
export interface Answerer<Request> {
  /** Reads a request; a {@link SalusError} counts against the peer. */
  readonly decode: (bytes: Uint8Array) => Request
  /** Makes the answer; an error here is ours, and the stream is reset. */
  readonly answer: (request: Request, from: PeerId, signal: AbortSignal) => Promise<Uint8Array>
}

/** Answers requests of a protocol until the returned function is called. */
export async function handleRequests<Request>(
  { libp2p, bans, log, rate }: AnswerComponents,
  protocol: RequestProtocol,
  { decode, answer }: Answerer<Request>
): Promise<() => Promise<void>> {
  /** Reads a request, or counts what is not one against the peer. */
  function read(bytes: Uint8Array, from: PeerId): Request {
    try {
      return decode(bytes)
    } catch (error) {
      if (isSalusError(error)) bans.penalise(from.toString(), PENALTY.garbage, error.code)
      throw error
    }
  }

  await libp2p.handle(
    protocol.id,
    async (stream, connection) => {
      // The reader is attached before anything is awaited: what comes without one is lost.
      const frames = lpStream(stream, {
        maxDataLength: protocol.maxRequestBytes,
        maxBufferSize: protocol.maxRequestBytes + 16
      })
      const from = connection.remotePeer
      const signal = AbortSignal.timeout(protocol.timeoutMs)
      try {
        if (!rate.take(from.toString())) {
          bans.penalise(from.toString(), PENALTY.garbage, 'REQUEST_FLOOD')
          throw new SalusError('REQUEST_FLOOD', 'Too many requests; wait before the next one.')
        }
        const request = read((await frames.read({ signal })).subarray(), from)
        await frames.write(await answer(request, from, signal), { signal })
        await stream.close({ signal })
      } catch (error) {
        if (isOversize(error)) bans.penalise(from.toString(), PENALTY.garbage, 'REQUEST_OVERSIZE')
        else if (isSalusError(error)) log.debug({ peer: from.toString(), code: error.code }, 'request refused')
        else log.debug({ peer: from.toString(), err: error }, 'request not answered')
        stream.abort(error instanceof Error ? error : new Error('request not answered'))
      }
    },
    { maxInboundStreams: MAX_STREAMS, maxOutboundStreams: MAX_STREAMS }
  )
  return async () => await libp2p.unhandle(protocol.id)
}

/**
 * Asks a peer, dialling it where need be.
 *
 * @throws SalusError `PEER_UNREACHABLE` if it cannot be dialled; `PEER_PROTOCOL_UNKNOWN` if it does not speak the
 * protocol; `PEER_NO_ANSWER` if it broke off or took too long; the signal's reason where the caller gave up
 */
export async function request(
  libp2p: Libp2p,
  peer: PeerId | Multiaddr,
  protocol: RequestProtocol,
  bytes: Uint8Array,
  options: { readonly signal?: AbortSignal } = {}
): Promise<Uint8Array> {
  // Not AbortSignal.any: it keeps every signal that was ever joined to a long-lived one.
  const signal = anySignal([options.signal, AbortSignal.timeout(protocol.timeoutMs)])
  try {
    return await exchange(libp2p, peer, protocol, bytes, signal)
  } catch (error) {
    options.signal?.throwIfAborted()
    throw error
  } finally {
    signal.clear()
  }
}

/** Opens a stream, sends the request and waits for the answer, until a signal. */
async function exchange(
  libp2p: Libp2p,
  peer: PeerId | Multiaddr,
  protocol: RequestProtocol,
  bytes: Uint8Array,
  signal: AbortSignal
): Promise<Uint8Array> {
  let stream: Stream
  try {
    stream = await libp2p.dialProtocol(peer, protocol.id, { signal })
  } catch (cause) {
    if (nameOf(cause) === 'UnsupportedProtocolError') {
      throw new SalusError('PEER_PROTOCOL_UNKNOWN', `The peer does not speak ${protocol.id}; ask another one.`, {
        cause
      })
    }
    throw new SalusError('PEER_UNREACHABLE', 'The peer cannot be reached; try another one, or later.', { cause })
  }
  const frames = lpStream(stream, {
    maxDataLength: protocol.maxAnswerBytes,
    maxBufferSize: protocol.maxAnswerBytes + 16
  })
  try {
    await frames.write(bytes, { signal })
    const answer = await frames.read({ signal })
    await stream.close({ signal })
    return answer.subarray()
  } catch (cause) {
    stream.abort(cause instanceof Error ? cause : new Error('no answer'))
    throw new SalusError('PEER_NO_ANSWER', 'The peer gave no whole answer in time; try another one, or later.', {
      cause
    })
  }
}

/** Whether libp2p refused a frame for its length. */
export function isOversize(error: unknown): boolean {
  return ['InvalidDataLengthError', 'InvalidDataLengthLengthError', 'InvalidMessageLengthError'].includes(nameOf(error))
}

/** Name of an error, by which libp2p's are told apart. */
export function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : ''
}
