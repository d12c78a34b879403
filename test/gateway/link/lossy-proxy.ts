/** A bad network between sensors and gateway: it loses, doubles and reorders datagrams. */
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { seededRandom } from '#test/seeded-random.ts'

export interface LossyProxy {
  readonly port: number
  stop(): Promise<void>
}

/** Starts it before a gateway on `target`; of 256 datagrams, `lost` are lost, as many come twice, and as many late. */
export async function startLossyProxy(target: number, lost: number): Promise<LossyProxy> {
  const random = seededRandom('lossy')
  const outward = new Map<number, Socket>()
  const held: (() => void)[] = []
  const carry = (send: () => void): void => {
    const [fate = 0] = random(1)
    if (fate < lost) return
    if (fate < 2 * lost) send()
    if (fate < 3 * lost && fate >= 2 * lost) held.push(send)
    else send()
    if (held.length > 2) held.shift()?.()
  }
  const inward = createSocket('udp4')
  inward.on('message', (bytes, { port }) => {
    let socket = outward.get(port)
    if (socket == null) {
      socket = createSocket('udp4')
      socket.on('message', answer => carry(() => inward.send(answer, port, '127.0.0.1', () => undefined)))
      outward.set(port, socket)
    }
    const to = socket
    carry(() => to.send(bytes, target, '127.0.0.1', () => undefined))
  })
  inward.bind(0, '127.0.0.1')
  await once(inward, 'listening')
  return {
    port: inward.address().port,
    async stop() {
      for (const socket of [inward, ...outward.values()]) await new Promise<void>(done => socket.close(() => done()))
    }
  }
}
