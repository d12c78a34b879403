import { expect } from 'chai'
import { concat, getBytes, id, randomBytes, sha256, toUtf8Bytes } from 'ethers'
import { CID } from 'multiformats/cid'
import { findLinks } from '#scripts/observer/links.ts'
import { findNeedles } from '#scripts/observer/find.ts'
import { needlesOf, type Secret } from '#scripts/observer/needles.ts'
import type { SeenTransaction } from '#scripts/observer/observe.ts'

const RAW_CID = 'bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy'
const SECRETS: readonly Secret[] = [
  { kind: 'text', name: 'the name', value: 'Erika Mustermann' },
  { kind: 'cid', name: 'the entry', value: RAW_CID },
  { kind: 'bytes', name: 'the seed', value: getBytes(id('seed')) }
]
const relayer = getBytes(id('relayer')).subarray(0, 20)

function transaction(...bytes: Uint8Array[]): SeenTransaction {
  const from = `0x${Buffer.from(relayer).toString('hex')}`
  const parts = bytes.map(part => ({ place: 'log' as const, bytes: part }))
  return { hash: '0x01', blockNumber: 1, time: 1, from, to: null, value: 0n, tip: 1n, parts }
}

/** The bytes between others, as they would lie in calldata. */
function hidden(bytes: Uint8Array): Uint8Array {
  return getBytes(concat([randomBytes(37), bytes, randomBytes(11)]))
}

describe('what an observer of the chain finds', () => {
  const needles = needlesOf(SECRETS)
  const foundIn = (bytes: Uint8Array): string[] => findNeedles(transaction(hidden(bytes)), needles).map(f => f.needle)

  it('finds nothing in what has no secret', () => {
    expect(foundIn(randomBytes(4096))).to.deep.equal([])
  })

  const planted: Record<string, readonly [Uint8Array, string]> = {
    'a name in capitals': [toUtf8Bytes('ERIKA MUSTERMANN'), 'the name'],
    'a name in UTF-16': [Buffer.from('Erika Mustermann', 'utf16le'), 'the name in UTF-16'],
    'a name in UTF-16, the other way round': [
      Buffer.from('Erika Mustermann', 'utf16le').swap16(),
      'the name in UTF-16'
    ],
    'a name in hexadecimal': [toUtf8Bytes('4572696B61204D75737465726D616E6E'), 'the name in hexadecimal'],
    ...Object.fromEntries(
      ['', 'x', 'Dr'].map(before => [
        `a name in base64 after ${String(before.length)} letters`,
        [toUtf8Bytes(Buffer.from(`${before}Erika Mustermann.`).toString('base64')), 'the name in base64'] as const
      ])
    ),
    'an unsalted hash of a name': [getBytes(id('Erika Mustermann')), 'keccak-256 of the name'],
    'an unsalted hash of a name in lower case': [
      getBytes(sha256(toUtf8Bytes('erika mustermann'))),
      'SHA-256 of the name in lower case'
    ],
    'a CID as text': [toUtf8Bytes(RAW_CID), 'the entry'],
    'the digest of a CID': [CID.parse(RAW_CID).multihash.digest, 'the entry as digest'],
    'a seed': [getBytes(id('seed')), 'the seed']
  }
  for (const [what, [bytes, needle]] of Object.entries(planted)) {
    it(`finds ${what}`, () => {
      expect(foundIn(bytes)).to.include(needle)
    })
  }
})

describe('what links two pseudonyms', () => {
  it('is nothing where they share only what is declared', () => {
    const a = transaction(hidden(randomBytes(200)))
    const b = transaction(hidden(randomBytes(200)))
    expect(findLinks([a], [b], [relayer])).to.deep.equal([])
    expect(findLinks([a], [b], [])).to.deep.equal([`0x${Buffer.from(relayer).toString('hex')}`])
  })

  it('is a value in both, wherever it stands, whole and once', () => {
    const shared = randomBytes(32)
    const [a, b] = [transaction(hidden(shared)), transaction(hidden(shared), hidden(shared))]
    const links = findLinks([a], [b], [relayer])
    expect(links).to.deep.equal([`0x${Buffer.from(shared).toString('hex')}`])
  })

  it('is what stands beside a declared value, but not a stray byte there', () => {
    const [left, right, shared] = [randomBytes(20), randomBytes(20), randomBytes(12)]
    const beside = (...parts: Uint8Array[]): SeenTransaction => transaction(getBytes(concat([...parts, relayer])))
    const links = findLinks([beside(left, shared)], [beside(right, shared)], [relayer])
    expect(links).to.have.length(1)
    const stray = shared.subarray(0, 2)
    expect(findLinks([beside(left, stray)], [beside(right, stray)], [relayer])).to.deep.equal([])
  })

  it('is not padding', () => {
    const [a, b] = [transaction(new Uint8Array(96)), transaction(new Uint8Array(96))]
    expect(findLinks([a], [b], [relayer])).to.deep.equal([])
  })
})
