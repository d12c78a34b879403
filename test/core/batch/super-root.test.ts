import { readFileSync } from 'node:fs'
import { expect } from 'chai'
import fc from 'fast-check'
import { portablePrimitives as portable } from '#core/crypto/portable.ts'
import { concat, fromHex, toHex } from '#core/encoding/bytes.ts'
import { decodeCanonical, encodeCanonical } from '#core/encoding/canonical.ts'
import {
  decodeGatewayHead,
  MAX_GATEWAY_HEAD_BYTES,
  requireNextHead,
  signGatewayHead,
  verifyGatewayHead,
  type GatewayHead,
  type SignedGatewayHead
} from '#core/batch/gateway-head.ts'
import { verifyConsistency } from '#core/batch/merkle.ts'
import { buildSuperRoot, verifySuperRootPath } from '#core/batch/super-root.ts'
import { consistencyProof } from '#core/batch/tree.ts'
import { nativePrimitives as p } from '#node/crypto/native.ts'
import { expectCode } from '#test/error-code.ts'
import { bytes32, someBatches } from '#test/core/batch/fixtures.ts'

interface Vector {
  signKey: string
  heads: { bytes: string; signature: string; index: number; path: string[] }[]
  root: string
  invalid: { name: string; bytes: string; code: string }[]
}

const vector = JSON.parse(readFileSync(new URL('../../vectors/super-root.json', import.meta.url), 'utf8')) as Vector
const SEED = bytes32(7)
const SIGN_KEY = p.ed25519PublicKey(SEED)

/** A gateway's head; its id is made from a number. */
function headOf(gateway: number, special: Partial<GatewayHead> = {}): GatewayHead {
  const id = p.sha256(Uint8Array.of(gateway >> 8, gateway & 255))
  const first = { network: bytes32(1), gateway: id, sequence: 1, treeSize: 8, root: bytes32(9), previousRoot: null }
  return { ...first, ...special }
}

const signed = (gateway: number, special: Partial<GatewayHead> = {}): SignedGatewayHead =>
  signGatewayHead(p, headOf(gateway, special), SEED)

describe('super-root', () => {
  it('has the published heads, paths and root, in either implementation of the primitives', () => {
    for (const primitives of [p, portable]) {
      const heads = vector.heads.map(({ bytes, signature }) => ({
        bytes: fromHex(bytes),
        signature: fromHex(signature)
      }))
      const { root, count, paths } = buildSuperRoot(primitives, heads.toReversed())
      expect(toHex(root)).to.equal(vector.root)
      expect(paths.map(({ signed: { bytes }, index, path }) => [toHex(bytes), index, path.map(toHex)])).to.deep.equal(
        vector.heads.map(({ bytes, index, path }) => [bytes, index, path])
      )
      for (const path of paths) verifySuperRootPath(primitives, path, { root, count }, fromHex(vector.signKey))
    }
  })

  it('refuses the published bytes that are no head', async () => {
    for (const { bytes, code, name } of vector.invalid) {
      await expectCode(code, () => decodeGatewayHead(fromHex(bytes))).catch((error: unknown) => {
        throw new Error(name, { cause: error })
      })
    }
  })

  it('proves each of 1,000 gateways, and none under another root, place or size', async function () {
    this.timeout(30_000)
    const heads = Array.from({ length: 1000 }, (_, i) => signed(i))
    const { root, count, paths } = buildSuperRoot(p, heads)
    expect([count, paths.length]).to.deep.equal([1000, 1000])
    const ids = new Set<string>()
    for (const path of paths) {
      expect(path.path.length).to.be.within(5, 10)
      ids.add(toHex(verifySuperRootPath(p, path, { root, count }, SIGN_KEY).gateway))
    }
    expect(ids.size).to.equal(1000)

    const [path, neighbour] = [paths[500]!, paths[501]!]
    const refuse = async (other: Partial<typeof path>, anchored: { root?: Uint8Array; count?: number } = {}) =>
      expectCode('SUPER_ROOT_INCLUSION', () =>
        verifySuperRootPath(p, { ...path, ...other }, { root, count, ...anchored }, SIGN_KEY)
      )
    await refuse({}, { root: bytes32(0) })
    await refuse({}, { count: 500 })
    await refuse({}, { count: 2000 })
    await refuse({ index: 501 })
    await refuse({ index: 1000 })
    await refuse({ path: neighbour.path })
    await refuse({ path: path.path.slice(1) })
    await refuse({ path: [...path.path, bytes32(0)] })
    await refuse({ signed: neighbour.signed })
  })

  it('is refused whichever single bit of a path is flipped', async () => {
    const { root, count, paths } = buildSuperRoot(p, [signed(1), signed(2), signed(3), signed(4), signed(5)])
    const { signed: head, index, path } = paths[2]!
    const parts = [head.bytes, head.signature, ...path]
    for (const [i, part] of parts.entries()) {
      for (let bit = 0; bit < 8 * part.length; bit++) {
        const flipped = part.slice()
        flipped[bit >> 3]! ^= 1 << (bit & 7)
        const [bytes, signature, ...rest] = parts.map((each, at) => (at === i ? flipped : each))
        const changed = { signed: { bytes: bytes!, signature: signature! }, index, path: rest }
        let accepted = true
        try {
          verifySuperRootPath(p, changed, { root, count }, SIGN_KEY)
        } catch {
          accepted = false
        }
        if (accepted) expect.fail(`part ${String(i)}, bit ${String(bit)}`)
      }
    }
    await expectCode('SUPER_ROOT_SIGNATURE', () =>
      verifySuperRootPath(p, paths[0]!, { root, count }, p.ed25519PublicKey(bytes32(8)))
    )
  })

  it('takes one head of each gateway, in any order, and one at least', async () => {
    await expectCode('SUPER_ROOT_EMPTY', () => buildSuperRoot(p, []))
    await expectCode('SUPER_ROOT_DUPLICATE', () => buildSuperRoot(p, [signed(1), signed(2), signed(1)]))
    await expectCode('GATEWAY_HEAD_MALFORMED', () =>
      buildSuperRoot(p, [{ bytes: Uint8Array.of(0xff), signature: new Uint8Array(64) }])
    )
    fc.assert(
      fc.property(fc.shuffledSubarray([...Array(40).keys()], { minLength: 1 }), gateways => {
        const sorted = gateways.toSorted((a, b) => a - b)
        const roots = [gateways, sorted].map(some =>
          toHex(
            buildSuperRoot(
              p,
              some.map(each => signed(each))
            ).root
          )
        )
        expect(roots[0]).to.equal(roots[1])
      })
    )
  })

  it('binds a head to its gateway, number, tree, predecessor and network', () => {
    const head = signed(1)
    const second = { sequence: 2, previousRoot: bytes32(9) }
    const others: Partial<GatewayHead>[] = [
      { network: bytes32(2) },
      { gateway: bytes32(3) },
      { treeSize: 9 },
      { root: bytes32(8) },
      second
    ]
    for (const other of others) {
      const { bytes } = signed(1, other)
      expect(verifyGatewayHead(p, { bytes, signature: head.signature }, SIGN_KEY)).to.equal(false)
      expect(verifyGatewayHead(p, head, SIGN_KEY)).to.equal(true)
    }
  })

  it('shows by number and predecessor that no head of a gateway was left out', async () => {
    const first = headOf(1)
    const second = headOf(1, { sequence: 2, treeSize: 9, root: bytes32(10), previousRoot: first.root })
    requireNextHead(null, first)
    requireNextHead(first, second)
    const bad: [GatewayHead | null, GatewayHead][] = [
      [null, second],
      [first, first],
      [second, headOf(1, { sequence: 4, treeSize: 9, previousRoot: second.root })],
      [first, { ...second, gateway: bytes32(3) }],
      [first, { ...second, network: bytes32(3) }],
      [first, { ...second, treeSize: 7 }],
      [first, { ...second, previousRoot: bytes32(3) }]
    ]
    for (const [before, after] of bad) await expectCode('GATEWAY_HEAD_ORDER', () => requireNextHead(before, after))
  })

  it('and anchors of a gateway’s own are of one tree: each continues the other, or the gateway is caught', () => {
    const { built, tree } = someBatches([3, 2, 4, 1])
    const [one, two, three, four] = built.map(({ batch }) => batch.header)
    // Batches 1 and 2 went under super-roots; the aggregator left the gateway out of the third epoch, and it anchored
    // batch 3 by itself, as its anchor number 1; then it went under super-roots again, under the next number.
    const heads = [one!, two!, four!].map(({ treeTo, root }, i, all) =>
      headOf(1, { sequence: i + 1, treeSize: treeTo, root, previousRoot: i === 0 ? null : all[i - 1]!.root })
    )
    heads.forEach((head, i) => requireNextHead(heads[i - 1] ?? null, head))
    const own = { treeSize: three!.treeTo, root: three!.root }
    const follows = (
      before: { treeSize: number; root: Uint8Array },
      after: { treeSize: number; root: Uint8Array }
    ): boolean =>
      verifyConsistency(p, {
        firstSize: before.treeSize,
        firstRoot: before.root,
        size: after.treeSize,
        root: after.root,
        path: consistencyProof(p, tree, before.treeSize, after.treeSize)
      })
    expect(follows(heads[1]!, own)).to.equal(true)
    expect(follows(own, heads[2]!)).to.equal(true)
    expect(follows({ ...own, root: bytes32(3) }, heads[2]!)).to.equal(false)
  })

  it('refuses bytes that decode to the same head in another form', async () => {
    const { bytes } = signed(1)
    const fields = decodeCanonical(bytes, { area: 'TEST', maxBytes: MAX_GATEWAY_HEAD_BYTES }) as Record<string, unknown>
    const edited = (change: Record<string, unknown>): Uint8Array => encodeCanonical({ ...fields, ...change })
    expect(decodeGatewayHead(edited({}))).to.deep.equal(headOf(1))
    await expectCode('GATEWAY_HEAD_TRAILING', () => decodeGatewayHead(concat(bytes, Uint8Array.of(0))))
    await expectCode('GATEWAY_HEAD_OVERSIZE', () => decodeGatewayHead(new Uint8Array(MAX_GATEWAY_HEAD_BYTES + 1)))
    await expectCode('GATEWAY_HEAD_SHAPE', () => decodeGatewayHead(edited({ sequence: 0 })))
    await expectCode('GATEWAY_HEAD_SHAPE', () => decodeGatewayHead(edited({ sequence: 2 })))
    await expectCode('GATEWAY_HEAD_SHAPE', () => decodeGatewayHead(edited({ previousRoot: bytes32(1) })))
  })
})
