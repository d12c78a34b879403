import type { Stream } from '@libp2p/interface'

/** What a stream keeps unsent; libp2p's interface names it, its `onDrain` resolves for good after the first time. */
type Writer = Pick<Stream, 'writeBufferLength' | 'status' | 'addEventListener' | 'removeEventListener'>

/**
 * Waits until a stream has at most so many bytes left to send.
 *
 * @throws Error when the stream ends before, or the peer takes longer than `timeoutMs`
 */
export async function untilBelow(stream: Writer, bytes: number, timeoutMs: number): Promise<void> {
  if (stream.writeBufferLength <= bytes) return
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => end(new Error('the peer takes too long')), timeoutMs)
    function end(error?: Error): void {
      clearTimeout(timer)
      for (const event of EVENTS) stream.removeEventListener(event, look)
      if (error == null) resolve()
      else reject(error)
    }
    function look(): void {
      if (stream.status !== 'open') end(new Error('the stream ended'))
      // What a drain lets through is sent by a listener of the stream's own, after this one.
      else
        queueMicrotask(() => {
          if (stream.writeBufferLength <= bytes) end()
        })
    }
    for (const event of EVENTS) stream.addEventListener(event, look)
  })
}

const EVENTS = ['drain', 'idle', 'close'] as const
