import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { expect } from 'chai'
import { hangUp } from '#node/http/hang-up.ts'

describe('hanging up', () => {
  async function pair(use: (here: Socket, there: Socket) => Promise<void>): Promise<void> {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const accepted = once(server, 'connection')
    const there = connect((server.address() as AddressInfo).port, '127.0.0.1')
    there.on('error', () => undefined)
    const [here] = (await accepted) as [Socket]
    here.on('error', () => undefined)
    try {
      await use(here, there)
    } finally {
      here.destroy()
      there.destroy()
      server.close()
    }
  }

  it('ends a connection whose other side reads nothing', async () => {
    await pair(async (here, there) => {
      there.pause()
      while (here.write(new Uint8Array(1 << 20)));
      const closed = once(here, 'close')
      hangUp(here, 20)
      await closed
      expect(here.destroyed).to.equal(true)
      hangUp(here, 20)
    })
  })

  it('sends what was written to whoever reads', async () => {
    await pair(async (here, there) => {
      let bytes = 0
      there.on('data', (part: Uint8Array) => (bytes += part.length))
      const ended = once(there, 'end')
      here.write(new Uint8Array(3 << 20))
      hangUp(here)
      await ended
      expect(bytes).to.equal(3 << 20)
    })
  })
})
