import { readFileSync } from 'node:fs'
import { expect } from 'chai'
import { portablePrimitives } from '#core/crypto/portable.ts'
import { fromHex, toHex } from '#core/encoding/bytes.ts'
import { directionKeys } from '#core/network/private-session.ts'
import { nativePrimitives } from '#node/crypto/native.ts'
import { expectCode } from '#test/error-code.ts'

interface Vector {
  networkKey: string
  role: 'dialler' | 'listener'
  senderNonce: string
  receiverNonce: string
  key: string
  counter: string
  tag: string
}

const { sessions } = JSON.parse(
  readFileSync(new URL('../../vectors/private-network.json', import.meta.url), 'utf8')
) as { sessions: Vector[] }

describe('the keys of a private connection', () => {
  it('are those of the vectors', () => {
    for (const { networkKey, role, senderNonce, receiverNonce, ...expected } of sessions) {
      const direction = { role, senderNonce: fromHex(senderNonce), receiverNonce: fromHex(receiverNonce) }
      for (const p of [nativePrimitives, portablePrimitives]) {
        const keys = directionKeys(p, fromHex(networkKey), direction)
        const { key, counter, tag } = keys
        expect({ key: toHex(key), counter: toHex(counter), tag: toHex(tag) }).to.deep.equal(expected)
      }
    }
  })

  it('differ by direction, by role, by nonce and by network', () => {
    const [a, b, c] = [1, 2, 3].map(byte => new Uint8Array(32).fill(byte)) as [Uint8Array, Uint8Array, Uint8Array]
    const tags = (['dialler', 'listener'] as const).flatMap(role =>
      [
        [a, b, c],
        [a, c, b],
        [b, a, c],
        [c, a, b]
      ].map(([key, senderNonce, receiverNonce]) => {
        const direction = { role, senderNonce: senderNonce!, receiverNonce: receiverNonce! }
        return toHex(directionKeys(nativePrimitives, key!, direction).tag)
      })
    )
    expect(new Set(tags).size).to.equal(8)
  })

  it('are not made for a nonce that came back', async () => {
    const nonce = new Uint8Array(32).fill(1)
    await expectCode('PRIVATE_NONCE', () =>
      directionKeys(nativePrimitives, nonce, { role: 'dialler', senderNonce: nonce, receiverNonce: nonce })
    )
  })
})
