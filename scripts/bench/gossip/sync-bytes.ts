/** Bytes that two peers exchange to find what one of them lacks, by the code that compares sets; the messages themselves come on top. */
import { toHex } from '#core/encoding/bytes.ts'
import { differenceIn } from '#core/network/compare-sets.ts'
import { createMessageSet, type MessageSet, type SetPart } from '#core/network/message-set.ts'
import { encodeSyncParts, encodeSyncRequest, MAX_LOOKS } from '#core/network/sync.ts'
import { nativePrimitives as p } from '#node/crypto/native.ts'
import type { Bench } from '#scripts/bench/report.ts'
import { NETWORK } from '#scripts/bench/gossip/speakers.ts'

const SIZES = [1_000, 10_000, 100_000]
const MISSING = [0, 1, 1_000]
/** Days over which the messages of a log are spread. */
const DAYS = 1_000

/** Measures it: what is missing is of the last days, as for a node that was away. */
export function measureSyncBytes(bench: Bench): void {
  for (const size of SIZES) {
    const ids = Array.from({ length: size }, (_, i) => idOf(i, size))
    const theirs = setOf(ids)
    for (const missing of MISSING) {
      const ours = setOf(ids.slice(0, size - missing))
      const { bytes, questions, found } = compare(ours, theirs)
      if (found !== missing) throw new Error('comparing found something else than was missing')
      bench.figure({
        metric: `sync.compare-bytes.${String(size)}.missing-${String(missing)}`,
        samples: [bytes],
        unit: 'B',
        versus: { name: 'the ids of all messages', samples: [size * 34] }
      })
      bench.figure({
        metric: `sync.compare-questions.${String(size)}.missing-${String(missing)}`,
        samples: [questions],
        unit: 'questions'
      })
    }
  }
}

function idOf(i: number, size: number): string {
  const number = new Uint8Array(8)
  new DataView(number.buffer).setFloat64(0, i)
  const day = 20_000 + Math.floor((i * DAYS) / size)
  return `${day.toString(16).padStart(4, '0')}${toHex(p.sha256(number)).slice(2, 62)}`
}

function setOf(ids: readonly string[]): MessageSet {
  const set = createMessageSet(p)
  for (const id of ids) set.add(id)
  return set
}

function compare(ours: MessageSet, theirs: MessageSet): { bytes: number; questions: number; found: number } {
  const open = ['']
  let [bytes, questions, found] = [0, 0, 0]
  while (open.length > 0) {
    const prefixes = open.splice(-MAX_LOOKS)
    const parts: SetPart[] = prefixes.map(prefix => theirs.look(prefix))
    bytes += encodeSyncRequest(NETWORK, { kind: 'look', prefixes }).length + encodeSyncParts(parts).length
    questions++
    for (const [i, part] of parts.entries()) {
      const difference = differenceIn(prefixes[i] ?? '', part, ours)
      open.push(...difference.prefixes)
      found += difference.ids.length
    }
  }
  return { bytes, questions, found }
}
