/** A gateway in a process of its own, to be killed: takes a recording in and signs batches; no node ever answers. */
import { readFile } from 'node:fs/promises'
import { toHex } from '#core/encoding/bytes.ts'
import { parseRecording } from '#core/batch/recording.ts'
import { nativePrimitives as p } from '#node/crypto/native.ts'
import { openBatchFiles } from '#gateway/batch-files.ts'
import { closeSpan, signIntent, type BatcherComponents } from '#gateway/batcher.ts'
import { deriveGateway } from '#gateway/identity.ts'
import { openLedger } from '#gateway/ledger.ts'
import { cursorOf } from '#gateway/state.ts'
import { createReplay } from '#gateway/replay.ts'
import { random } from '#test/gateway/fresh.ts'

const [directory = '', file = ''] = process.argv.slice(2)
const clock = (): number => Date.now()
const ledger = await openLedger(directory)
const files = await openBatchFiles(directory)
const identity = await deriveGateway(p, new Uint8Array(32).fill(7))
const components: BatcherComponents = { p, random, clock, identity, ledger, files, network: new Uint8Array(32).fill(1) }
const say = (line: Record<string, unknown>): void => void process.stdout.write(`${JSON.stringify(line)}\n`)

if (ledger.state.patient == null) {
  await ledger.record({ type: 'patient', patient: { id: new Uint8Array(32).fill(2), keyBundle: new Uint8Array(32) } })
}
const report = (): void => {
  say({ sequence: ledger.state.sequence, header: toHex(p.sha256(ledger.state.header ?? new Uint8Array())) })
}
if (ledger.state.intent != null) {
  await signIntent(components)
  report()
}
const source = createReplay(
  { clock },
  { recording: parseRecording(await readFile(file)), device: 'monitor', speed: Infinity }
)
for await (const { next, readings } of source.arrivals(
  cursorOf(ledger.state, source.name),
  new AbortController().signal
)) {
  const row = next - 1
  await ledger.record({ type: 'readings', source: source.name, next, readings, records: [] })
  say({ row })
  if (row % 10 === 9) {
    await closeSpan(components, row)
    report()
    if (row % 50 === 49) await ledger.compact()
  }
}
if (ledger.state.pending.length > 0) await closeSpan(components, 0)
report()
say({ end: true })
