import { expect } from 'chai'
import { untilBelow } from '#node/network/drain.ts'

/** A stream that sends when a test says so. */
class Writer extends EventTarget {
  writeBufferLength = 100
  status: 'open' | 'aborted' = 'open'

  send(bytes: number, event = 'drain'): void {
    this.writeBufferLength -= bytes
    this.dispatchEvent(new Event(event))
  }
}

const waitOn = (writer: Writer, timeoutMs = 5_000): Promise<void> => untilBelow(writer, 40, timeoutMs)

describe('waiting for a stream to send', () => {
  it('goes on only when little enough is left, at the first drain and at each after it', async () => {
    const writer = new Writer()
    for (let round = 0; round < 3; round++) {
      writer.writeBufferLength = 100
      let isOver = false
      const waiting = waitOn(writer).then(() => (isOver = true))
      writer.send(30)
      await new Promise(resolve => setImmediate(resolve))
      expect(isOver).to.equal(false)
      writer.send(30, 'idle')
      await waiting
    }
  })

  it('ends when the stream does, or when it takes too long', async () => {
    const writer = new Writer()
    const waiting = waitOn(writer).catch((error: unknown) => error)
    writer.status = 'aborted'
    writer.send(0, 'close')
    expect(await waiting).to.be.an('error')
    writer.status = 'open'
    expect(await waitOn(writer, 1).catch((error: unknown) => error)).to.be.an('error')
  })
})
