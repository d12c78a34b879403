import { expect } from 'chai'
import { toHex, utf8 } from '#core/encoding/bytes.ts'
import { decodePacket, encodeHello, type Hello } from '#core/link/packet.ts'
import { SESSION_MS } from '#core/link/responder.ts'
import { connect, replyOf, send, testGateway, testSensor } from '#test/core/link/ends.ts'
import { mutations } from '#test/mutations.ts'
import { seededRandom } from '#test/seeded-random.ts'

const NOW = 1_700_000_000_000
const TEXT = utf8('text')

describe('both ends of a constrained link', () => {
  for (const suite of [1, 2, 3] as const) {
    it(`agree on keys and carry messages both ways (suite ${String(suite)})`, () => {
      const gateway = testGateway(`suite ${String(suite)}`)
      const sensor = testSensor(gateway, 'monitor', suite)
      expect(connect(gateway, sensor, 1, NOW)).to.equal(true)
      expect(gateway.responder.seal('monitor', TEXT, NOW), 'before the first frame').to.equal(undefined)
      const first = send(gateway, sensor, TEXT, NOW)
      expect(first).to.deep.include({ type: 'message', plaintext: TEXT, isFirst: true })
      expect(send(gateway, sensor, TEXT, NOW)).to.deep.include({ type: 'message', isFirst: false })
      const answer = gateway.responder.seal('monitor', TEXT, NOW)
      expect(answer?.to).to.equal(sensor.from)
      expect(sensor.initiator.receive(answer?.bytes ?? TEXT, NOW)).to.deep.equal({ type: 'message', plaintext: TEXT })
      expect(sensor.initiator.receive(answer?.bytes ?? TEXT, NOW), 'sent again').to.deep.equal({ type: 'refused' })
    })
  }

  it('need 90 + 25 + 90 + 60 bytes, and no answer is longer than what it answers', () => {
    const gateway = testGateway('bytes')
    const { initiator, from } = testSensor(gateway, 'monitor')
    const hello = initiator.hello(1)
    const cookie = replyOf(gateway.responder.receive(hello, from, NOW)) ?? TEXT
    const outcome = initiator.receive(cookie, NOW)
    const again = outcome.type === 'send' ? outcome.bytes : TEXT
    const response = replyOf(gateway.responder.receive(again, from, NOW)) ?? TEXT
    expect([hello, cookie, again, response].map(each => each.length)).to.deep.equal([90, 25, 90, 60])
  })

  it('give no session to a stranger, a wrong key, another configuration or suite, and tell none of them which it was', () => {
    const gateway = testGateway('strangers')
    const sensor = testSensor(gateway, 'monitor')
    const { credential } = sensor
    const key = toHex(credential.handle)
    const changes = [{ psk: new Uint8Array(32) }, { config: new Uint8Array(32) }, { suite: 3 as const }, undefined]
    for (const change of changes) {
      if (change == null) gateway.credentials.delete(key)
      else gateway.credentials.set(key, { ...credential, ...change })
      expect(connect(gateway, sensor, 1, NOW)).to.equal(false)
      expect(gateway.responder.sessions).to.equal(0)
    }
  })

  it('remember nothing of a hello without a cookie, or with another address’s', () => {
    const gateway = testGateway('cookies')
    const { initiator, from } = testSensor(gateway, 'monitor')
    const hello = initiator.hello(1)
    const reply = replyOf(gateway.responder.receive(hello, from, NOW)) ?? TEXT
    const outcome = initiator.receive(reply, NOW)
    const again = outcome.type === 'send' ? outcome.bytes : TEXT
    const elsewhere = gateway.responder.receive(again, '192.0.2.9|1', NOW)
    expect(decodePacket(replyOf(elsewhere) ?? TEXT)?.type).to.equal('cookie')
    const late = gateway.responder.receive(again, from, NOW + 600_000)
    expect(decodePacket(replyOf(late) ?? TEXT)?.type).to.equal('cookie')
    expect(gateway.responder.sessions).to.equal(0)
  })

  it('answer a hello that is sent again with the same bytes, and one from the past not at all', () => {
    const gateway = testGateway('again')
    const sensor = testSensor(gateway, 'monitor')
    const hellos: Uint8Array[] = []
    const { responder } = gateway
    const cookieHello = (attempt: number): Uint8Array => {
      const reply = replyOf(responder.receive(sensor.initiator.hello(attempt), sensor.from, NOW)) ?? TEXT
      const outcome = sensor.initiator.receive(reply, NOW)
      const bytes = outcome.type === 'send' ? outcome.bytes : TEXT
      hellos.push(bytes)
      return bytes
    }
    const first = cookieHello(5)
    const response = replyOf(responder.receive(first, sensor.from, NOW))
    expect(replyOf(responder.receive(first, sensor.from, NOW))).to.deep.equal(response)
    expect(responder.sessions).to.equal(1)
    expect(sensor.initiator.receive(response ?? TEXT, NOW).type).to.equal('open')
    expect(send(gateway, sensor, TEXT, NOW).type).to.equal('message')
    // Whoever runs the responder remembers the attempt of each first frame.
    gateway.credentials.set(toHex(sensor.credential.handle), { ...sensor.credential, attempt: 5 })
    for (const old of hellos) {
      expect(responder.receive(old, sensor.from, NOW)).to.deep.equal({ type: 'refused', why: 'old-attempt' })
    }
    expect(send(gateway, sensor, TEXT, NOW).type, 'the session goes on').to.equal('message')
  })

  it('keep the session until the next one has proven itself', () => {
    const gateway = testGateway('takeover')
    const sensor = testSensor(gateway, 'monitor')
    connect(gateway, sensor, 1, NOW)
    const early = sensor.initiator.seal(TEXT, NOW) ?? TEXT
    expect(gateway.responder.receive(early, sensor.from, NOW).type).to.equal('message')
    const stale = sensor.initiator.seal(TEXT, NOW) ?? TEXT
    connect(gateway, sensor, 2, NOW)
    expect(gateway.responder.receive(stale, sensor.from, NOW).type, 'of the old session').to.equal('message')
    expect(send(gateway, sensor, TEXT, NOW)).to.deep.include({ type: 'message', isFirst: true })
    expect(gateway.responder.receive(early, sensor.from, NOW)).to.deep.include({ why: 'unknown-session' })
    expect(gateway.responder.sessions).to.equal(1)
  })

  it('tell a sensor that its session is lost, which believes it only of its own', () => {
    const gateway = testGateway('lost')
    const sensor = testSensor(gateway, 'monitor')
    connect(gateway, sensor, 1, NOW)
    send(gateway, sensor, TEXT, NOW)
    gateway.responder.forget('monitor')
    expect(gateway.responder.sessions).to.equal(0)
    const lost = replyOf(send(gateway, sensor, TEXT, NOW)) ?? TEXT
    expect(sensor.initiator.receive(lost, NOW)).to.deep.equal({ type: 'lost' })
    const other = lost.slice()
    other[1] = (other[1] ?? 0) ^ 1
    expect(sensor.initiator.receive(other, NOW)).to.deep.equal({ type: 'refused' })
    const future = lost.slice()
    future[11] = 200
    expect(sensor.initiator.receive(future, NOW)).to.deep.equal({ type: 'refused' })
  })

  it('end a session after a day', () => {
    const gateway = testGateway('a day')
    const sensor = testSensor(gateway, 'monitor')
    connect(gateway, sensor, 1, NOW)
    expect(send(gateway, sensor, TEXT, NOW).type).to.equal('message')
    expect(send(gateway, sensor, TEXT, NOW + SESSION_MS + 1)).to.deep.include({ why: 'expired' })
    expect(gateway.responder.sessions).to.equal(0)
  })

  it('take the true answer after forged ones', () => {
    const gateway = testGateway('forged answers')
    const { initiator, from } = testSensor(gateway, 'monitor')
    const cookie = replyOf(gateway.responder.receive(initiator.hello(1), from, NOW)) ?? TEXT
    const outcome = initiator.receive(cookie, NOW)
    const response =
      replyOf(gateway.responder.receive(outcome.type === 'send' ? outcome.bytes : TEXT, from, NOW)) ?? TEXT
    for (const forged of mutations(response, { seed: 'response', count: 500 })) {
      if (Buffer.compare(forged, response) !== 0) expect(initiator.receive(forged, NOW).type).not.to.equal('open')
    }
    expect(initiator.receive(response, NOW).type).to.equal('open')
  })

  it('have bounded memory under a flood of hellos', () => {
    const gateway = testGateway('flood')
    const sensor = testSensor(gateway, 'monitor')
    const flood = seededRandom('strangers')
    const hello = decodePacket(sensor.initiator.hello(1)) as Hello
    for (let i = 0; i < 4000; i++) {
      const from = `198.51.${String(i % 256)}.${String((i >> 8) % 256)}|${String(i % 7)}`
      const handle = i % 2 === 0 ? hello.handle : flood(16)
      const stranger = { ...hello, handle, message: flood(56) }
      const cookie = decodePacket(replyOf(gateway.responder.receive(encodeHello(stranger), from, NOW)) ?? TEXT)
      if (cookie?.type !== 'cookie') continue
      const outcome = gateway.responder.receive(encodeHello({ ...stranger, cookie: cookie.cookie }), from, NOW)
      expect(replyOf(outcome)).to.equal(undefined)
    }
    expect(gateway.responder.sessions).to.equal(0)
    expect(connect(gateway, sensor, 2, NOW), 'the sensor still gets in').to.equal(true)
  })

  it('survive any datagram', () => {
    const gateway = testGateway('any')
    const sensor = testSensor(gateway, 'monitor')
    connect(gateway, sensor, 1, NOW)
    const frame = sensor.initiator.seal(TEXT, NOW) ?? TEXT
    const random = seededRandom('datagrams')
    for (const bytes of mutations(frame, { seed: 'datagrams', count: 3000 })) {
      gateway.responder.receive(bytes, '192.0.2.9|1', NOW)
      sensor.initiator.receive(bytes, NOW)
    }
    for (let length = 0; length <= 1300; length += 13) {
      for (let type = 0x10; type < 0x17; type++) {
        const bytes = random(length)
        bytes[0] = type
        expect(gateway.responder.receive(bytes, '192.0.2.9|1', NOW).type).not.to.equal('message')
        sensor.initiator.receive(bytes, NOW)
      }
    }
  })
})
