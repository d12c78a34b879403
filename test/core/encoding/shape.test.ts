import { expect } from 'chai'
import { CID } from 'multiformats/cid'
import { readBytes, readCid, readList, readMap, readText, readUint } from '#core/encoding/shape.ts'
import { readPlace } from '#core/encoding/place.ts'
import { readVersion } from '#core/encoding/version.ts'
import { expectCode } from '#test/error-code.ts'

describe('the readers of decoded fields', () => {
  it('read a map with exactly its fields', async () => {
    expect(readMap({ a: 1 }, 'X', ['a'], ['b'])).to.deep.equal({ a: 1 })
    expect(readMap({ a: 1, b: 2 }, 'X', ['a'], ['b'])).to.deep.equal({ a: 1, b: 2 })
    for (const value of [{}, { a: 1, c: 2 }, [], null, 'a', 1, new Uint8Array(1)]) {
      await expectCode('X_SHAPE', () => readMap(value, 'X', ['a'], ['b']))
    }
  })

  it('read byte strings of the right length', async () => {
    const bytes = new Uint8Array(4)
    expect(readBytes(bytes, 'X', 'f', 4)).to.equal(bytes)
    expect(readBytes(bytes, 'X', 'f', { min: 1, max: 4 })).to.equal(bytes)
    await expectCode('X_SHAPE', () => readBytes(bytes, 'X', 'f', 5))
    await expectCode('X_SHAPE', () => readBytes(bytes, 'X', 'f', { min: 5, max: 6 }))
    await expectCode('X_SHAPE', () => readBytes([0, 0, 0, 0], 'X', 'f', 4))
  })

  it('read whole numbers within bounds', async () => {
    expect(readUint(7, 'X', 'f', 7)).to.equal(7)
    for (const value of [8, -1, 1.5, Number.NaN, '7', 7n, 2 ** 53])
      await expectCode('X_SHAPE', () => readUint(value, 'X', 'f', 7))
    await expectCode('X_SHAPE', () => readUint(2 ** 53, 'X', 'f'))
  })

  it('read texts within bounds', async () => {
    expect(readText('ab', 'X', 'f', 2)).to.equal('ab')
    await expectCode('X_SHAPE', () => readText('abc', 'X', 'f', 2))
    await expectCode('X_SHAPE', () => readText(1, 'X', 'f', 2))
  })

  it('read content identifiers and lists', async () => {
    const cid = CID.parse('bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy')
    expect(readCid(cid, 'X', 'f').equals(cid)).to.equal(true)
    await expectCode('X_SHAPE', () => readCid(String(cid), 'X', 'f'))
    expect(readList([1, 2], 'X', 'f', 2, item => readUint(item, 'X', 'f'))).to.deep.equal([1, 2])
    await expectCode('X_SHAPE', () => readList([1, 2, 3], 'X', 'f', 2, item => item))
    await expectCode('X_SHAPE', () => readList({}, 'X', 'f', 2, item => item))
  })

  it('refuse versions but the first', async () => {
    readVersion({ v: 1 }, 'X')
    await expectCode('X_VERSION', () => {
      readVersion({ v: 2 }, 'X')
    })
    await expectCode('X_VERSION', () => {
      readVersion({ v: '1' }, 'X')
    })
  })

  it('refuse another place than expected', async () => {
    const [network, patient] = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)]
    expect(readPlace({ network, patient }, 'X', { network, patient })).to.deep.equal({ network, patient })
    await expectCode('X_NETWORK', () => readPlace({ network, patient }, 'X', { network: patient }))
    await expectCode('X_PATIENT', () => readPlace({ network, patient }, 'X', { patient: network }))
    await expectCode('X_SHAPE', () => readPlace({ network }, 'X', {}))
  })
})
