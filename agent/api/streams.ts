/** Bodies of any size, in and out. */
import type { Context } from 'hono'

/** The body of a request as it comes, taken no faster than it is used. */
export async function* streamedBody(context: Context): AsyncGenerator<Uint8Array> {
  const body = context.req.raw.body as AsyncIterable<Uint8Array> | null
  if (body != null) yield* body
}

/** An answer that is made while it is sent; what fails before its first piece still has a status of its own. */
export async function streamOf(pieces: AsyncIterable<Uint8Array>): Promise<ReadableStream<Uint8Array>> {
  const parts = pieces[Symbol.asyncIterator]()
  let next = await parts.next()
  return new ReadableStream({
    async pull(controller) {
      if (next.done === true) {
        controller.close()
        return
      }
      controller.enqueue(next.value)
      next = await parts.next()
    },
    async cancel() {
      await parts.return?.()
    }
  })
}
