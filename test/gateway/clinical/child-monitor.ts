/** A bedside in a process of its own that kills itself at an alert: readings are judged, then journaled; a snapshot is kept now and then. */
import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import { HEART_RATE, OXYGEN_SATURATION, RESPIRATORY_RATE } from '#core/batch/metrics.ts'
import type { Reading } from '#core/batch/reading.ts'
import { shippedPack } from '#core/clinical/packs/shipped.ts'
import { toHex } from '#core/encoding/bytes.ts'
import { createMonitor } from '#gateway/clinical/monitor.ts'
import { nativePrimitives as p } from '#node/crypto/native.ts'
import { readIfThere, writeDurably } from '#node/store/durable-file.ts'

const START_MS = 1_700_000_000_000
const SECONDS = 1200
const SNAPSHOT_SECONDS = 100
const bytes32 = (byte: number): Uint8Array => new Uint8Array(32).fill(byte)
const [directory = '', killAfter = ''] = process.argv.slice(2)
const journal = join(directory, 'journal')
const state = join(directory, 'state')

/** What the devices say at a second: spells of illness, jumps, and a lead that comes off. */
function readingsAt(second: number): Reading[] {
  const spell = Math.floor(second / 60) % 4
  const values = [
    [HEART_RATE, spell === 1 ? 140 : second % 97 < 3 ? 0 : 70],
    [RESPIRATORY_RATE, spell === 2 ? 27 : 16],
    [OXYGEN_SATURATION, spell === 3 ? 89 : 97]
  ] as const
  return values.map(([metric, mantissa]): Reading => {
    const stream = { device: 'monitor', ...metric, exponent: 0 }
    const atMs = START_MS + 1000 * second
    return { stream, sequence: second, deviceTimeMs: 1000 * second, receivedAtMs: atMs, mantissa, flags: 0 }
  })
}

let alerts = 0
const kept = await readIfThere(state)
const journaled = (await readIfThere(journal))?.length ?? 0
const from = kept == null ? 0 : new DataView(kept.buffer, kept.byteOffset).getUint32(0)
const monitor = createMonitor(
  { p, random: length => new Uint8Array(length), clock: () => START_MS },
  {
    ...{ gateway: bytes32(2), patient: bytes32(3), signSeed: bytes32(5), pack: shippedPack(p), order: null },
    ...{ chain: [1], watch: null, ...(kept == null ? {} : { snapshot: kept.subarray(4) }) },
    onEvent: event => {
      if (event.type !== 'alert') return
      process.stdout.write(`${toHex(event.id)} ${event.rule} ${event.kind}\n`)
      // Before the readings that raised it are on the disk.
      if (++alerts === Number(killAfter)) process.kill(process.pid, 'SIGKILL')
    }
  }
)
for (let second = from; second < SECONDS; second++) {
  monitor.take(readingsAt(second), START_MS + 1000 * second)
  // One byte a second stands for its readings.
  if (second >= journaled) appendFileSync(journal, '.')
  if (second % SNAPSHOT_SECONDS !== SNAPSHOT_SECONDS - 1) continue
  const head = new Uint8Array(4)
  new DataView(head.buffer).setUint32(0, second + 1)
  await writeDurably(state, Buffer.concat([head, monitor.snapshot()]))
}
process.stdout.write(`end ${toHex(monitor.digest())}\n`)
