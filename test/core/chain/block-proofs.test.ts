import { expect } from 'chai'
import { createMPT } from '@ethereumjs/mpt'
import { encodeRlp as encodeWithEthers, getBytes, hexlify, keccak256, toBeArray } from 'ethers'
import fc from 'fast-check'
import { headerHash } from '#core/chain/block-header.ts'
import { bloomBits, hasBits, isBloom, mayHoldLog } from '#core/chain/bloom.ts'
import { countsUpTo, readFinalityLevel } from '#core/chain/finality.ts'
import { encodeRlp } from '#core/chain/rlp.ts'
import { receiptsRoot, type ReceiptFields } from '#core/chain/receipts.ts'
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

  it('hash the fields that newer rules add in the order of the rules', () => {
    const word = (byte: string): string => `0x${byte.repeat(32)}`
    const added = [
      ['baseFeePerGas', '0x7', '0x07'],
      ['withdrawalsRoot', word('a1'), word('a1')],
      ['blobGasUsed', '0x0', '0x'],
      ['excessBlobGas', '0x20000', '0x020000'],
      ['parentBeaconBlockRoot', word('a2'), word('a2')],
      ['requestsHash', word('a3'), word('a3')],
      // A hash keeps its leading zeros.
      ['blockAccessListHash', word('00'), word('00')],
      ['slotNumber', '0xd1b71', '0x0d1b71']
    ] as const
    const quantity = (value: string): string => hexlify(toBeArray(value))
    const { difficulty, number, gasLimit, gasUsed, timestamp, ...bytes } = GENESIS
    const first = [bytes.parentHash, bytes.sha3Uncles, bytes.miner, bytes.stateRoot, bytes.transactionsRoot]
    const numbers = [difficulty, number, gasLimit, gasUsed, timestamp].map(quantity)
    const known = [
      ...first,
      bytes.receiptsRoot,
      bytes.logsBloom,
      ...numbers,
      bytes.extraData,
      bytes.mixHash,
      bytes.nonce
    ]
    for (let count = 0; count <= added.length; count++) {
      const given = Object.fromEntries(added.slice(0, count).map(([name, value]) => [name, value]))
      const encoded = encodeWithEthers([...known, ...added.slice(0, count).map(([, , value]) => value)])
      expect(headerHash({ ...GENESIS, ...given })).to.equal(keccak256(encoded))
    }
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

  it('find the root that another implementation finds, over receipts of every type with logs', async () => {
    const hexOf = (bytes: fc.Arbitrary<Uint8Array>) => bytes.map(one => hexlify(one))
    const sized = (size: number) => hexOf(fc.uint8Array({ minLength: size, maxLength: size }))
    const quantity = fc.nat().map(one => `0x${one.toString(16)}`)
    const log = fc.record({
      address: sized(20),
      topics: fc.array(sized(32), { maxLength: 4 }),
      data: hexOf(fc.uint8Array({ maxLength: 80 }))
    })
    const receipt: fc.Arbitrary<ReceiptFields> = fc.record({
      type: fc.constantFrom(undefined, '0x0', '0x1', '0x2', '0x3', '0x4', '0x7e'),
      status: fc.constantFrom('0x0', '0x1'),
      cumulativeGasUsed: quantity,
      logsBloom: fc.constant(NO_LOGS),
      logs: fc.array(log, { maxLength: 3 }),
      depositNonce: fc.option(quantity, { nil: undefined }),
      depositReceiptVersion: fc.constantFrom(undefined, '0x1')
    })
    const encoded = (one: ReceiptFields): Uint8Array => {
      const number = (value = '0x0'): Uint8Array => toBeArray(BigInt(value))
      const logs = one.logs.map(({ address, topics, data }) => [address, [...topics], data])
      const isDeposit = one.type === '0x7e' && one.depositReceiptVersion != null
      const more = isDeposit ? [number(one.depositNonce), number(one.depositReceiptVersion)] : []
      const fields = encodeWithEthers([number(one.status), number(one.cumulativeGasUsed), NO_LOGS, logs, ...more])
      return Uint8Array.from([...number(one.type), ...getBytes(fields)])
    }
    const lists = fc.array(receipt, { minLength: 1, maxLength: 40 })
    await fc.assert(
      fc.asyncProperty(lists, fc.constantFrom(0, 130, 270), async (some, blank) => {
        const receipts = [...some, ...Array.from({ length: blank }, () => ({ ...some[0]!, logs: [] }))]
        const tree = await createMPT()
        for (const [i, one] of receipts.entries())
          await tree.put(getBytes(encodeWithEthers(toBeArray(i))), encoded(one))
        expect(receiptsRoot(receipts)).to.equal(hexlify(tree.root()))
      }),
      { numRuns: 10 }
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
