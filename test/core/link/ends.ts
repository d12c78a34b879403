/** Both ends of a link in one process, for tests: a gateway that knows some sensors, and the sensors. */
import { createInitiator, type Initiator } from '#core/link/initiator.ts'
import type { Suite } from '#core/link/packet.ts'
import type { Random } from '#core/crypto/primitives.ts'
import { createResponder, type LinkCredential, type Outcome, type Responder } from '#core/link/responder.ts'
import { toHex } from '#core/encoding/bytes.ts'
import { nativeLinkPrimitives as p } from '#gateway/link/native.ts'
import { seededRandom } from '#test/seeded-random.ts'

/** A sensor of the tests. */
export interface TestSensor {
  readonly initiator: Initiator
  readonly credential: LinkCredential
  readonly from: string
}

/** A gateway of the tests; `credentials` may be changed. */
export interface TestGateway {
  readonly responder: Responder
  readonly credentials: Map<string, LinkCredential>
  readonly random: Random
}

export function testGateway(seed: string): TestGateway {
  const random = seededRandom(seed)
  const credentials = new Map<string, LinkCredential>()
  const responder = createResponder({ p, random, find: handle => credentials.get(toHex(handle)) })
  return { responder, credentials, random }
}

/** A sensor that the gateway knows; `random` is the sensor's own. */
export function testSensor(
  gateway: TestGateway,
  device: string,
  suite: Suite = 1,
  random: Random = gateway.random
): TestSensor {
  const handle = gateway.random(16)
  const [own, remote] = [gateway.random(32), gateway.random(32)]
  const credential: LinkCredential = {
    device,
    sensor: device,
    handle,
    psk: gateway.random(32),
    config: gateway.random(32),
    suite,
    attempt: 0,
    ...(suite === 2 ? { statics: { own, remote: p.x25519PublicKey(remote) } } : {})
  }
  gateway.credentials.set(toHex(handle), credential)
  const statics = { own: remote, remote: p.x25519PublicKey(own) }
  const { psk, config } = credential
  const sensorsOwn = suite === 2 ? { statics } : {}
  const initiator = createInitiator({ p, random }, { handle, psk, config, suite, ...sensorsOwn })
  return { initiator, credential, from: `192.0.2.1|${device}` }
}

/** Carries datagrams to and fro until the sensor has a session; false if it gets none. */
export function connect(
  { responder }: TestGateway,
  { initiator, from }: TestSensor,
  attempt: number,
  nowMs: number
): boolean {
  let bytes = initiator.hello(attempt)
  for (let i = 0; i < 3; i++) {
    const reply = replyOf(responder.receive(bytes, from, nowMs))
    if (reply == null) return false
    const outcome = initiator.receive(reply, nowMs)
    if (outcome.type === 'open') return true
    if (outcome.type !== 'send') return false
    bytes = outcome.bytes
  }
  return false
}

/** Sends one message; what the gateway made of it. */
export function send({ responder }: TestGateway, sensor: TestSensor, plaintext: Uint8Array, nowMs: number): Outcome {
  const frame = sensor.initiator.seal(plaintext, nowMs)
  if (frame == null) throw new Error('The sensor has no session.')
  return responder.receive(frame, sensor.from, nowMs)
}

/** The answer to a datagram, if there is one. */
export function replyOf(outcome: Outcome): Uint8Array | undefined {
  if (outcome.type === 'reply') return outcome.bytes
  return outcome.type === 'refused' ? outcome.reply : undefined
}
