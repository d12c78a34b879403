import type { Primitives } from '#core/crypto/primitives.ts'
import { HEART_RATE, OXYGEN_SATURATION } from '#core/batch/metrics.ts'
import { toHex, utf8 } from '#core/encoding/bytes.ts'
import { createSender, EPOCH_MS, sealFrame } from '#core/link/chain.ts'
import { encodeMarks } from '#core/link/marks.ts'
import { encodeMessage, type LinkMessage } from '#core/link/message.ts'
import { portableLinkPrimitives } from '#core/link/portable.ts'
import { prologueOf } from '#core/link/prologue.ts'
import { configDigest, confirmationDigits, encodeSensorCard, sensorRecordDigest } from '#core/link/provisioning.ts'
import { registryRoot, revocationDigest } from '#core/link/registry.ts'
import { toCodeText } from '#core/agent/code-text.ts'
import { readable } from '#scripts/vectors/vector-file.ts'

const filled = (byte: number, length: number): Uint8Array => new Uint8Array(length).fill(byte)

const MESSAGES: readonly LinkMessage[] = [
  {
    kind: 'readings',
    number: 0,
    previous: null,
    readings: [{ stream: { ...HEART_RATE, exponent: 0 }, sequence: 0, deviceTimeMs: 0, mantissa: 60, flags: 0 }]
  },
  {
    kind: 'readings',
    number: 1025,
    previous: 1024,
    readings: [
      { stream: { ...HEART_RATE, exponent: 0 }, sequence: 7, deviceTimeMs: -5, mantissa: null, flags: 1 },
      { stream: { ...OXYGEN_SATURATION, exponent: -1 }, sequence: 7, deviceTimeMs: 7000, mantissa: 975, flags: 4 }
    ]
  },
  { kind: 'acknowledged', numbers: [0, 1024, 1025] },
  { kind: 'rotate', handle: filled(1, 16), psk: filled(2, 32) },
  { kind: 'rotated', handle: filled(1, 16) }
]

/** What the code makes of the formats of sensor links. */
export function linkVectors(p: Primitives): Record<string, unknown> {
  const card = {
    handle: filled(1, 16),
    psk: filled(2, 32),
    suite: 1,
    device: 'monitor',
    udp: '192.0.2.1:5684',
    mqtt: '192.0.2.1:8883',
    gatewayKey: new Uint8Array()
  } as const
  const sender = createSender(portableLinkPrimitives, 0xabcdef, filled(3, 32), 0)
  const frames = [0, 0, EPOCH_MS].map(nowMs => toHex(sealFrame(portableLinkPrimitives, sender, utf8('text'), nowMs)))
  const config = configDigest(p, card)
  const record = sensorRecordDigest(p, {
    salt: filled(4, 32),
    device: 'monitor',
    attestation: utf8('attestation'),
    sensorKey: new Uint8Array()
  })
  return {
    'sensor-link': {
      description:
        'Messages, frames, counters, cards and digests of sensor links (docs/specs/sensor-link.md, provisioning.md).',
      messages: MESSAGES.map(message => ({ message: readable(message), bytes: toHex(encodeMessage(message)) })),
      frames: {
        key: toHex(filled(3, 32)),
        kid: 0xabcdef,
        plaintext: toHex(utf8('text')),
        'two of the first hour, one of the second': frames
      },
      slot: {
        writes: 3,
        attempts: 1025,
        messages: 2048,
        bytes: toHex(encodeMarks(p, { writes: 3, attempts: 1025, messages: 2048 }))
      },
      card: {
        card: readable(card),
        bytes: toHex(encodeSensorCard(card)),
        text: toCodeText(p, 'SENSOR', encodeSensorCard(card)),
        config: toHex(config),
        prologue: toHex(prologueOf(1, card.handle, config))
      },
      confirmation: { hash: toHex(filled(5, 32)), digits: confirmationDigits(p, filled(5, 32)) },
      registry: {
        record: toHex(record),
        revocation: toHex(revocationDigest(p, record)),
        root: toHex(registryRoot(p, [record, revocationDigest(p, record)]))
      }
    }
  }
}
