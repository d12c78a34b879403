/** Size and time of a grant's capsule, whatever the span, against wrapping the keys of 50 entries one by one. */
import { constants, generateKeyPairSync, privateDecrypt, publicEncrypt, randomBytes } from 'node:crypto'
import { hpkeOpen, hpkeSeal } from '#core/crypto/hpke.ts'
import { decodeCapsule, openCapsule, preferredKemKey, sealCapsule, verifyCapsule } from '#core/grant/capsule.ts'
import { encodeGrantDocument, grantIdOf, grantScope } from '#core/grant/document.ts'
import { deriveAgentKeys } from '#core/identity/agent-keys.ts'
import { coverOf } from '#core/record/day-tree.ts'
import { compartmentTag } from '#core/record/generation.ts'
import { nativePrimitives as p } from '#node/crypto/native.ts'
import { interleave } from '#scripts/bench/interleave.ts'
import type { Bench } from '#scripts/bench/report.ts'

const ENTRIES = 50
/** A day inside the span's first week, so that no span is better aligned in the tree than another. */
const FIRST_DAY = 17_003
const SPANS = [
  { name: '1-day', days: 1 },
  { name: '1-year', days: 365 },
  { name: '10-years', days: 3652 }
]
const SUITES = [
  { suite: 1, name: 'x-wing' },
  { suite: 2, name: 'x25519' },
  { suite: 3, name: 'p-256' }
] as const
const OAEP = { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' }

interface Fixture {
  readonly patient: Awaited<ReturnType<typeof deriveAgentKeys>>
  readonly grantee: Awaited<ReturnType<typeof deriveAgentKeys>>
  readonly generationKey: Uint8Array
}

/** Everything from the generation's key to the signed capsule, as an agent does it for one grant of one compartment. */
async function grant(
  { patient, grantee, generationKey }: Fixture,
  suite: 1 | 2 | 3,
  days: number
): Promise<Uint8Array> {
  const ids = { network: randomBytes(32), patient: randomBytes(32), grantee: randomBytes(20) }
  const document = encodeGrantDocument({ ...ids, compartments: ['vitals'], purpose: 'TREAT', salt: randomBytes(32) })
  const cover = coverOf(p, generationKey, FIRST_DAY, FIRST_DAY + days - 1)
  const tag = compartmentTag(p, generationKey, 'vitals')
  const open = { contract: randomBytes(20), terms: randomBytes(32), scope: grantScope(document), revision: 1 }
  return await sealCapsule(p, randomBytes, {
    header: { ...ids, ...open, grantId: grantIdOf(ids.patient, open.scope) },
    to: preferredKemKey(grantee.bundle, [suite]),
    content: { document, keys: [{ compartment: 'vitals', tag, generation: 1, cover }] },
    patientKeys: patient
  })
}

async function open({ grantee }: Fixture, bytes: Uint8Array): Promise<void> {
  const capsule = decodeCapsule(bytes)
  if (!verifyCapsule(p, capsule)) throw new Error('the capsule does not verify')
  await openCapsule(capsule, grantee)
}

/** What a system without a key tree does: one wrapped key per entry, here under HPKE or RSA. */
async function wrapper(
  { grantee }: Fixture,
  suite: 1 | 2 | 3
): Promise<Record<'wrap' | 'unwrap', () => Promise<number>>> {
  const info = new Uint8Array(0)
  const message = { info, aad: info, plaintext: randomBytes(32) }
  const to = preferredKemKey(grantee.bundle, [suite])
  const as = grantee.kemSecrets.find(key => key.suite === suite) ?? { suite, secretKey: info }
  const wrapped = await hpkeSeal(randomBytes, to, message)
  return {
    wrap: async () => {
      let bytes = 0
      for (let i = 0; i < ENTRIES; i++) {
        const { encapsulation, ciphertext } = await hpkeSeal(randomBytes, to, message)
        bytes += encapsulation.length + ciphertext.length
      }
      return bytes
    },
    unwrap: async () => {
      for (let i = 0; i < ENTRIES; i++) await hpkeOpen(as, { ...message, ...wrapped })
      return ENTRIES
    }
  }
}

function rsaWrapper(): { wrap: () => number; unwrap: () => number } {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const key = randomBytes(32)
  const wrapped = publicEncrypt({ key: publicKey, ...OAEP }, key)
  return {
    wrap: () => {
      let bytes = 0
      for (let i = 0; i < ENTRIES; i++) bytes += publicEncrypt({ key: publicKey, ...OAEP }, key).length
      return bytes
    },
    unwrap: () => {
      for (let i = 0; i < ENTRIES; i++) privateDecrypt({ key: privateKey, ...OAEP }, wrapped)
      return ENTRIES
    }
  }
}

/** Figures of capsules, by suite and span. */
export async function benchCapsules(bench: Bench, rounds: number): Promise<void> {
  const [patient, grantee] = await Promise.all([
    deriveAgentKeys(p, randomBytes(32)),
    deriveAgentKeys(p, randomBytes(32))
  ])
  const fixture = { patient, grantee, generationKey: randomBytes(32) }
  const rsa = rsaWrapper()
  for (const { suite, name } of SUITES) {
    bench.progress(`capsules, ${name}`)
    const hpke = await wrapper(fixture, suite)
    const separate = `${String(ENTRIES)} separate HPKE wraps`
    const perEntry = `${String(ENTRIES)} RSA-OAEP-2048 wraps`
    const [hpkeBytes, rsaBytes] = [await hpke.wrap(), rsa.wrap()]
    const given: { readonly span: string; readonly bytes: Uint8Array }[] = []
    const works: Record<string, () => unknown> = {
      hpkeWrap: hpke.wrap,
      hpkeUnwrap: hpke.unwrap,
      rsaWrap: rsa.wrap,
      rsaUnwrap: rsa.unwrap
    }
    for (const { name: span, days } of SPANS) {
      const bytes = await grant(fixture, suite, days)
      given.push({ span, bytes })
      works[`seal ${span}`] = () => grant(fixture, suite, days)
      works[`open ${span}`] = () => open(fixture, bytes)
    }
    const samples = await interleave(works, { rounds })
    const of = (work: string): readonly number[] => samples[work] ?? []
    for (const { span, bytes } of given) {
      const key = `${name}.${span}`
      const size = { metric: `capsule.bytes.${key}`, samples: [bytes.length], unit: 'B' }
      bench.figure({ ...size, versus: { name: separate, samples: [hpkeBytes] } })
      bench.figure({ ...size, versus: { name: perEntry, samples: [rsaBytes] } })
      const sealing = { metric: `capsule.seal.${key}`, samples: of(`seal ${span}`), unit: 'ms' }
      bench.figure({ ...sealing, versus: { name: separate, samples: of('hpkeWrap') } })
      bench.figure({ ...sealing, versus: { name: perEntry, samples: of('rsaWrap') } })
      const opening = { metric: `capsule.open.${key}`, samples: of(`open ${span}`), unit: 'ms' }
      bench.figure({ ...opening, versus: { name: separate, samples: of('hpkeUnwrap') } })
      bench.figure({ ...opening, versus: { name: perEntry, samples: of('rsaUnwrap') } })
    }
  }
}
