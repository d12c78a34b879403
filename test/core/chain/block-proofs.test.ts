import { expect } from 'chai'
import { encodeRlp as encodeWithEthers, keccak256 } from 'ethers'
import fc from 'fast-check'
import { headerHash } from '#core/chain/block-header.ts'
import { bloomBits, hasBits, isBloom, mayHoldLog } from '#core/chain/bloom.ts'
import { countsUpTo, readFinalityLevel } from '#core/chain/finality.ts'
import { encodeRlp } from '#core/chain/rlp.ts'
import { receiptsRoot } from '#core/chain/receipts.ts'
import { expectCode } from '#test/error-code.ts'

const EMPTY_TREE = '0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421'
const NO_LOGS = `0x${'00'.repeat(256)}`

/** The first block of Ethereum. */
const GENESIS = {
  parentHash: `0x${'00'.repeat(32)}`,
  sha3Uncles: '0x1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347',
  miner: `0x${'00'.repeat(20)}`,
  stateRoot: '0xd7f8974fb5ac78d9ac099b9ad5018bedc2ce0a72dad1827a1709da30580f0544',
  transactionsRoot: EMPTY_TREE,
  receiptsRoot: EMPTY_TREE,
  logsBloom: NO_LOGS,
  difficulty: '0x400000000',
  number: '0x0',
  gasLimit: '0x1388',
  gasUsed: '0x0',
  timestamp: '0x0',
  extraData: '0x11bbe8db4e347b4e8c937c1c8370e4b5ed33adb3db69cbdb7a38e1e50b1b82fa',
  mixHash: `0x${'00'.repeat(32)}`,
  nonce: '0x0000000000000042'
}

describe('proofs of a block', () => {
  it('recompute the hash of a header', () => {
    const hash = '0xd4e56740f876aef8c010b86a40d5f56745a118d0906a34e69aec8c0db1cb8fa3'
    expect(headerHash(GENESIS)).to.equal(hash)
    for (const name of Object.keys(GENESIS)) {
      expect(headerHash({ ...GENESIS, [name]: null })).to.equal(undefined)
      expect(headerHash({ ...GENESIS, [name]: 'soon' })).to.equal(undefined)
      expect(headerHash({ ...GENESIS, [name]: `${GENESIS[name as keyof typeof GENESIS]}01` })).to.not.equal(hash)
    }
    expect(headerHash({ ...GENESIS, extraData: '0x1' })).to.equal(undefined)
    expect(headerHash({ ...GENESIS, blobGasUsed: '0x0' })).to.equal(undefined)
  })

  it('stand on the same encoding as everybody’s', () => {
    const bytes = fc.uint8Array({ maxLength: 300 }).map(one => `0x${Buffer.from(one).toString('hex')}`)
    const { value } = fc.letrec<{ value: string | string[] }>(tie => ({
      value: fc.oneof(bytes, fc.array(tie('value'), { maxLength: 5 }) as fc.Arbitrary<string[]>)
    }))
    fc.assert(fc.property(value, one => encodeRlp(one) === encodeWithEthers(one)))
    for (const size of [55, 56, 255, 256, 65_536]) {
      const long = `0x${'ab'.repeat(size)}`
      expect(encodeRlp([long])).to.equal(encodeWithEthers([long]))
    }
  })

  it('find in a filter what was put there', () => {
    const bytes = fc.uint8Array({ minLength: 20, maxLength: 32 }).map(one => `0x${Buffer.from(one).toString('hex')}`)
    fc.assert(
      fc.property(fc.array(bytes, { minLength: 1, maxLength: 8 }), items => {
        const filter = new Uint8Array(256)
        for (const bit of items.flatMap(bloomBits)) filter[255 - (bit >> 3)]! |= 1 << (bit & 7)
        const bloom = `0x${Buffer.from(filter).toString('hex')}`
        expect(isBloom(bloom)).to.equal(true)
        expect(items.every(item => hasBits(bloom, bloomBits(item)))).to.equal(true)
        expect(mayHoldLog(bloom, { address: items[0]!, topics: items, data: '0x' })).to.equal(true)
        expect(mayHoldLog(NO_LOGS, { address: items[0]!, topics: [], data: '0x' })).to.equal(false)
      })
    )
  })

  it('take the bits of an item from its hash as the yellow paper says', () => {
    const hash = keccak256('0x0f572e5295c57f15886f9b263e2f6d2d6c7b5ec6')
    expect(bloomBits('0x0f572e5295c57f15886f9b263e2f6d2d6c7b5ec6')).to.deep.equal(
      [0, 4, 8].map(at => Number.parseInt(hash.slice(2 + at, 6 + at), 16) % 2048)
    )
  })

  it('know the root over no receipts, and tell every change of one', () => {
    expect(receiptsRoot([])).to.equal(EMPTY_TREE)
    const receipt = { type: '0x2', status: '0x1', cumulativeGasUsed: '0x5208', logsBloom: NO_LOGS, logs: [] }
    const many = Array.from({ length: 300 }, (_, i) => ({ ...receipt, cumulativeGasUsed: `0x${(i + 1).toString(16)}` }))
    const root = receiptsRoot(many)
    for (const i of [0, 1, 15, 16, 127, 128, 255, 256, 299]) {
      expect(receiptsRoot(many.map((one, at) => (at === i ? { ...one, status: '0x0' } : one)))).to.not.equal(root)
      expect(receiptsRoot(many.filter((_, at) => at !== i))).to.not.equal(root)
    }
  })
})

describe('finality levels', () => {
  const heads = { latest: 100, safe: 68, finalized: 36 }

  it('say up to which block a chain counts', () => {
    expect(countsUpTo('latest', heads)).to.equal(100)
    expect(countsUpTo('safe', heads)).to.equal(68)
    expect(countsUpTo('finalized', heads)).to.equal(36)
    expect(countsUpTo(12, heads)).to.equal(88)
    // An endpoint that calls blocks final which it does not have.
    expect(countsUpTo('finalized', { ...heads, finalized: 1_000 })).to.equal(100)
  })

  it('are refused where the chain does not know them, and where they are none', async () => {
    await expectCode('CHAIN_FINALITY_UNKNOWN', () => countsUpTo('safe', { ...heads, safe: null }))
    for (const text of ['', 'soon', '-1', '1.5', '10000000']) {
      await expectCode('CHAIN_FINALITY_LEVEL', () => readFinalityLevel(text))
    }
    expect(['latest', 'safe', 'finalized', '0', '12'].map(readFinalityLevel)).to.deep.equal([
      ...['latest', 'safe', 'finalized'],
      ...[0, 12]
    ])
  })
})
