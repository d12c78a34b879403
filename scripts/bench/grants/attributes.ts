/** One vital sign sealed by attributes and one attribute opened, against RSA-2048 for each attribute (source paper C). */
import { constants, generateKeyPairSync, privateDecrypt, publicEncrypt, randomBytes } from 'node:crypto'
import { utf8 } from '#core/encoding/bytes.ts'
import { deriveAgentKeys } from '#core/identity/agent-keys.ts'
import { attributesOf, placesOf } from '#core/record/attributes.ts'
import { openAttribute, openContentKey, sealEntry, type EntryInput } from '#core/record/seal-entry.ts'
import { nativePrimitives as p } from '#node/crypto/native.ts'
import { interleave } from '#scripts/bench/interleave.ts'
import type { Bench } from '#scripts/bench/report.ts'

const OAEP = { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' }
/** The vital signs that source paper C encrypts one by one. */
const VITALS = ['pulse', 'respiration', 'systolic', 'diastolic', 'temperature', 'spo2']
const VALUE = '{"value":72,"unit":"/min","code":"/min"}'

/** Figures of sealing by attributes. */
export async function benchAttributes(bench: Bench): Promise<void> {
  const author = await deriveAgentKeys(p, randomBytes(32), [2])
  const ids = { network: randomBytes(32), patient: randomBytes(32), tag: randomBytes(16), leafKey: randomBytes(32) }
  const body = utf8(`{${VITALS.map(name => `"${name}":${VALUE}`).join(',')}}`)
  const content = { type: 'application/fhir+json', recordedAtMs: 0, body }
  const input: EntryInput = { ...ids, generation: 1, day: 1, author, grant: null, content }
  const sealed = sealEntry(p, randomBytes, { ...input, attributes: true })
  const whole = sealEntry(p, randomBytes, input)
  const contentKey = openContentKey(p, { ...sealed, leafKey: ids.leafKey })
  const places = placesOf(p, contentKey, attributesOf(content))
  const index = places.findIndex(({ attribute }) => attribute != null)
  const key = places[index]?.key ?? new Uint8Array(32)

  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const rsaSeal = (): Buffer[] => VITALS.map(() => publicEncrypt({ key: publicKey, ...OAEP }, Buffer.from(VALUE)))
  const [rsaSealed = Buffer.alloc(0)] = rsaSeal()
  const samples = await interleave(
    {
      seal: () => sealEntry(p, randomBytes, { ...input, attributes: true }),
      sealWhole: () => sealEntry(p, randomBytes, input),
      open: () => openAttribute(p, { ...sealed, index, key }),
      rsaSeal,
      rsaOpen: () => privateDecrypt({ key: privateKey, ...OAEP }, rsaSealed)
    },
    { rounds: bench.quick ? 7 : 41, repeat: 5 }
  )
  const rsa = 'RSA-OAEP-2048 per attribute, unsigned'
  const plain = 'the same entry sealed whole'
  bench.figure({
    metric: 'attributes.seal',
    samples: samples.seal,
    unit: 'ms',
    versus: { name: rsa, samples: samples.rsaSeal }
  })
  bench.figure({
    metric: 'attributes.seal',
    samples: samples.seal,
    unit: 'ms',
    versus: { name: plain, samples: samples.sealWhole }
  })
  bench.figure({
    metric: 'attributes.open-one',
    samples: samples.open,
    unit: 'ms',
    versus: { name: rsa, samples: samples.rsaOpen }
  })
  const size = { metric: 'attributes.bytes', samples: [sealed.blob.length], unit: 'B' }
  bench.figure({ ...size, versus: { name: rsa, samples: [VITALS.length * rsaSealed.length] } })
  bench.figure({ ...size, versus: { name: plain, samples: [whole.blob.length] } })
}
