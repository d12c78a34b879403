/** HPKE messages sealed and opened per second in each suite, against the bare key agreements of OpenSSL that they rest on. */
import { decapsulate, diffieHellman, encapsulate, generateKeyPairSync, randomBytes, type KeyObject } from 'node:crypto'
import { deriveKemKeyPair, hpkeOpen, hpkeSeal, type SuiteId } from '#core/crypto/hpke.ts'
import { interleave } from '#scripts/bench/interleave.ts'
import type { Bench } from '#scripts/bench/report.ts'

const MESSAGE_BYTES = 32

interface Pair {
  readonly publicKey: KeyObject
  readonly privateKey: KeyObject
}

/** Key agreements of OpenSSL: what sealing and opening one message cannot do without. */
interface Yardstick {
  readonly name: string
  readonly seal: () => unknown
  readonly open: () => unknown
}

function agreement(name: string, newPair: () => Pair): Yardstick {
  const own = newPair()
  const other = newPair()
  return {
    name,
    seal: () => diffieHellman({ privateKey: newPair().privateKey, publicKey: other.publicKey }),
    open: () => diffieHellman({ privateKey: own.privateKey, publicKey: other.publicKey })
  }
}

function hybrid(): Yardstick {
  const x25519 = agreement('', () => generateKeyPairSync('x25519'))
  const { publicKey, privateKey } = generateKeyPairSync('ml-kem-768')
  const { ciphertext } = encapsulate(publicKey)
  return {
    name: 'X25519 and ML-KEM-768 of OpenSSL alone',
    seal: () => [x25519.seal(), encapsulate(publicKey)],
    open: () => [x25519.open(), decapsulate(privateKey, ciphertext)]
  }
}

const SUITES: readonly { readonly suite: SuiteId; readonly name: string; readonly yardstick: () => Yardstick }[] = [
  { suite: 1, name: 'x-wing', yardstick: hybrid },
  {
    suite: 2,
    name: 'x25519',
    yardstick: () => agreement('X25519 of OpenSSL alone', () => generateKeyPairSync('x25519'))
  },
  {
    suite: 3,
    name: 'p-256',
    yardstick: () => agreement('P-256 of OpenSSL alone', () => generateKeyPairSync('ec', { namedCurve: 'prime256v1' }))
  }
]

/** Figures of the suites that DESIGN names. */
export async function benchHpke(bench: Bench, { rounds, repeat }: { rounds: number; repeat: number }): Promise<void> {
  for (const { suite, name, yardstick } of SUITES) {
    bench.progress(`HPKE, ${name}`)
    const pair = await deriveKemKeyPair(suite, randomBytes(32))
    const message = { info: randomBytes(16), aad: randomBytes(300), plaintext: randomBytes(MESSAGE_BYTES) }
    const sealed = await hpkeSeal(randomBytes, pair, message)
    const bare = yardstick()
    const samples = await interleave(
      {
        seal: () => hpkeSeal(randomBytes, pair, message),
        open: () => hpkeOpen(pair, { ...message, ...sealed }),
        bareSeal: bare.seal,
        bareOpen: bare.open
      },
      { rounds, repeat }
    )
    const perSecond = (milliseconds: readonly number[]): number[] => milliseconds.map(ms => 1000 / ms)
    const figure = (what: string, own: readonly number[], yard: readonly number[]): void => {
      const versus = { name: bare.name, samples: perSecond(yard) }
      bench.figure({ metric: `hpke.${what}.${name}`, samples: perSecond(own), unit: 'messages/s', versus })
    }
    figure('seal', samples.seal, samples.bareSeal)
    figure('open', samples.open, samples.bareOpen)
    const bytes = sealed.encapsulation.length + sealed.ciphertext.length - MESSAGE_BYTES
    bench.figure({ metric: `hpke.overhead.${name}`, samples: [bytes], unit: 'B' })
  }
}
