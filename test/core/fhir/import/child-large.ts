/** A process of its own that imports and exports a large attachment and prints its peak of memory (see large.test.ts). */
import { nativePrimitives } from '#node/crypto/native.ts'
import { toHex } from '#core/encoding/bytes.ts'
import { decodeManifest, exportImport } from '#core/fhir/import/manifest.ts'
import { planImport } from '#core/fhir/import/plan.ts'
import { seededRandom } from '#test/seeded-random.ts'

const HEAD = '{"resourceType":"DocumentReference","content":[{"attachment":{"contentType":"video/mp4","data":"'
const TAIL = '"}}]}'
const PIECE = Buffer.alloc(60_000, 'QUJD')
const [mebibytes = '0'] = process.argv.slice(2)
const pieces = Math.ceil((Number(mebibytes) * 1_048_576 * 4) / 3 / PIECE.length)

async function* source(): AsyncGenerator<Uint8Array> {
  yield Buffer.from(HEAD)
  for (let i = 0; i < pieces; i++) yield await Promise.resolve(PIECE)
  yield Buffer.from(TAIL)
}

const init = { primitives: nativePrimitives, random: seededRandom('large'), today: 20_000 }
/** What would be sealed and sent away: only its size is kept. */
const sizes = new Map<string, number>()
const small = new Map<string, Uint8Array>()
let manifest: Uint8Array = new Uint8Array()
for await (const { kind, entry, body } of planImport(source, init)) {
  if (kind === 'attachment') sizes.set(toHex(entry), body.length)
  else small.set(toHex(entry), body)
  manifest = body
}
const part = Buffer.alloc(3 * 1_048_576, 'ABC')
let exportedBytes = 0
const open = (id: Uint8Array): Promise<Uint8Array> =>
  Promise.resolve(small.get(toHex(id)) ?? part.subarray(0, sizes.get(toHex(id))))
for await (const piece of exportImport(decodeManifest(manifest), open)) exportedBytes += piece.length
const sourceBytes = pieces * PIECE.length + HEAD.length + TAIL.length
console.log(JSON.stringify({ parts: sizes.size, sourceBytes, exportedBytes, peakKib: process.resourceUsage().maxRSS }))
