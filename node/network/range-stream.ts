/** The asking side of one `/salus/range/1` stream. */
import type { Libp2p, PeerId, Stream } from '@libp2p/interface'
import { createBlockReader, frameRangeRequest } from '#core/network/range.ts'
import { RANGE_PROTOCOL } from '#node/network/range-serve.ts'

/** Hears what comes on a stream. */
export interface RangeEvents {
  /** The next block in the order asked, unverified; undefined where the peer does not have it. */
  readonly onBlock: (bytes: Uint8Array | undefined) => void
  /** Bytes came, of whatever. */
  readonly onProgress: () => void
  /** Nothing more comes; a SalusError is the peer's fault. */
  readonly onEnd: (error: unknown) => void
}

/** A stream to one holder. */
export interface RangeStream {
  /** Asks for blocks; at most 256 may be unanswered. */
  ask(digests: readonly Uint8Array[]): void
  /** Bytes of a block that is not whole yet. */
  pendingBytes(): number
  /** Whether nothing more comes. */
  isOver(): boolean
  /** Gives up what was asked for. */
  abort(): void
}

/**
 * Opens a stream to a peer, dialling it where need be.
 *
 * @throws Error of libp2p where it cannot be reached or does not speak the protocol
 */
export async function openRangeStream(
  libp2p: Libp2p,
  peer: PeerId,
  { onBlock, onProgress, onEnd }: RangeEvents,
  signal: AbortSignal
): Promise<RangeStream> {
  const stream: Stream = await libp2p.dialProtocol(peer, RANGE_PROTOCOL, { signal })
  const reader = createBlockReader()
  let isOver = false

  function end(error: unknown): void {
    if (isOver) return
    isOver = true
    stream.abort(error instanceof Error ? error : new Error('given up'))
    onEnd(error)
  }

  stream.addEventListener('message', ({ data }) => {
    if (isOver) return
    onProgress()
    try {
      for (const piece of data instanceof Uint8Array ? [data] : data) {
        for (const block of reader.push(piece)) onBlock(block)
      }
    } catch (error) {
      end(error)
    }
  })
  stream.addEventListener('remoteCloseWrite', () => end(new Error('the peer ended the stream')))
  stream.addEventListener('close', ({ error }) => end(error ?? new Error('the stream ended')))

  return {
    ask(digests) {
      try {
        stream.send(frameRangeRequest(digests))
      } catch (error) {
        end(error)
      }
    },
    pendingBytes: () => reader.pendingBytes(),
    isOver: () => isOver,
    abort: () => end(new Error('given up'))
  }
}
