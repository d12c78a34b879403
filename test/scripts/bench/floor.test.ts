import { expect } from 'chai'
import { floorOf, type Step } from '#scripts/bench/gas/floor.ts'

const TO = `0x${'aa'.repeat(20)}`
const word = (value: bigint | number): string => `0x${BigInt(value).toString(16)}`
const step = (op: string, gasCost: number, ...stack: (bigint | number)[]): Step => ({
  op,
  gasCost,
  stack: stack.map(word)
})
const ran = (special: Partial<Parameters<typeof floorOf>[0]> = {}) => ({
  to: TO,
  data: '0x',
  logs: [],
  steps: [],
  ...special
})

describe('the floor of a call’s gas', () => {
  it('is the transaction’s own 21,000 for nothing', () => {
    expect(floorOf(ran())).to.deep.equal({
      total: 21_000,
      transaction: 21_000,
      state: 0,
      logs: 0,
      calls: 0,
      calldataFloor: 21_000
    })
  })

  it('counts the first touch of a slot, but not the later ones', () => {
    const steps = [step('SLOAD', 2100, 1), step('SSTORE', 20_000, 5, 1), step('SLOAD', 100, 1), step('ADD', 3)]
    expect(floorOf(ran({ steps })).state).to.equal(22_100)
  })

  it('counts a log’s topics and bytes', () => {
    const logs = [{ topics: ['0x', '0x', '0x'], data: `0x${'11'.repeat(64)}` }]
    expect(floorOf(ran({ logs })).logs).to.equal(375 * 4 + 8 * 64)
  })

  it('counts precompiles each time, another account once, and the contract itself never', () => {
    const ecrecover = step('STATICCALL', 0, 32, 0, 128, 0, 1, 50_000)
    const p256 = step('STATICCALL', 0, 32, 0, 160, 0, 0x100, 50_000)
    const sha256 = step('STATICCALL', 0, 32, 0, 33, 0, 2, 50_000)
    const wallet = step('STATICCALL', 0, 32, 0, 33, 0, 0xbeef, 50_000)
    const itself = step('CALL', 0, 0, 0, 0, 0, 0, BigInt(TO), 50_000)
    const steps = [ecrecover, ecrecover, p256, sha256, wallet, wallet, itself]
    expect(floorOf(ran({ steps })).calls).to.equal(3000 + 3000 + 6900 + 84 + 2600)
  })

  it('is never below what EIP-7623 takes for calldata', () => {
    const { total, transaction, calldataFloor } = floorOf(ran({ data: `0x${'00'.repeat(10)}${'11'.repeat(100)}` }))
    expect(transaction).to.equal(21_000 + 4 * 10 + 16 * 100)
    expect(calldataFloor).to.equal(21_000 + 10 * (10 + 4 * 100))
    expect(total).to.equal(calldataFloor)
  })
})
