import { readFileSync } from 'node:fs'
import { expect } from 'chai'
import { fromHex, toHex } from '#core/encoding/bytes.ts'
import { beginHandshake, readMessage, splitHandshake, writeMessage, type HandshakeInit } from '#core/link/noise.ts'
import { portableLinkPrimitives } from '#core/link/portable.ts'
import { nativeLinkPrimitives } from '#gateway/link/native.ts'
import { mutations } from '#test/mutations.ts'

interface Vector {
  readonly pattern: 'NNpsk0' | 'KKpsk0'
  readonly prologue: string
  readonly psk: string
  readonly initiatorEphemeral: string
  readonly responderEphemeral: string
  readonly initiatorStatic?: string
  readonly responderStatic?: string
  readonly payloads: readonly [string, string]
  readonly messages: readonly [string, string]
  readonly handshakeHash: string
  readonly fromInitiator: string
  readonly fromResponder: string
}

const file = readFileSync(new URL('../../vectors/noise.json', import.meta.url), 'utf8')
const vectors = (JSON.parse(file) as { handshakes: Vector[] }).handshakes

for (const [name, p] of [
  ['portable', portableLinkPrimitives],
  ['native', nativeLinkPrimitives]
] as const) {
  const sides = (v: Vector): { initiator: HandshakeInit; responder: HandshakeInit } => {
    const both = { pattern: v.pattern, prologue: fromHex(v.prologue), psk: fromHex(v.psk) }
    const [i, r] = [fromHex(v.initiatorStatic ?? ''), fromHex(v.responderStatic ?? '')]
    const staticsOf = (own: Uint8Array, remote: Uint8Array): object =>
      v.initiatorStatic == null ? {} : { statics: { own, remote: p.x25519PublicKey(remote) } }
    return {
      initiator: { ...both, isInitiator: true, ephemeral: fromHex(v.initiatorEphemeral), ...staticsOf(i, r) },
      responder: { ...both, isInitiator: false, ephemeral: fromHex(v.responderEphemeral), ...staticsOf(r, i) }
    }
  }

  describe(`the handshakes of a link with the ${name} primitives`, () => {
    for (const [i, v] of vectors.entries()) {
      it(`are to the byte what another implementation makes (${v.pattern}, ${String(i)})`, () => {
        const { initiator, responder } = sides(v)
        const a = beginHandshake(p, initiator)
        const b = beginHandshake(p, responder)
        const [first, second] = v.payloads.map(each => fromHex(each))
        const m1 = writeMessage(p, a, first ?? new Uint8Array()) ?? new Uint8Array()
        expect(toHex(m1)).to.equal(v.messages[0])
        expect(readMessage(p, b, m1)).to.deep.equal(first)
        const m2 = writeMessage(p, b, second ?? new Uint8Array()) ?? new Uint8Array()
        expect(toHex(m2)).to.equal(v.messages[1])
        expect(readMessage(p, a, m2)).to.deep.equal(second)
        for (const side of [a, b]) {
          const { fromInitiator, fromResponder, hash } = splitHandshake(p, side)
          expect([fromInitiator, fromResponder, hash].map(toHex)).to.deep.equal([
            v.fromInitiator,
            v.fromResponder,
            v.handshakeHash
          ])
        }
      })
    }

    it('read no message that was changed', () => {
      for (const v of vectors) {
        for (const changed of mutations(fromHex(v.messages[0]), { seed: v.psk, count: 40 })) {
          if (toHex(changed) === v.messages[0]) continue
          const { responder } = sides(v)
          expect(readMessage(p, beginHandshake(p, responder), changed)).to.equal(undefined)
        }
      }
    })

    it('end where key, prologue or static key differ', () => {
      for (const v of vectors) {
        const { responder } = sides(v)
        const others: HandshakeInit[] = [
          { ...responder, psk: new Uint8Array(32) },
          { ...responder, prologue: Uint8Array.of(1) }
        ]
        if (responder.statics != null)
          others.push({ ...responder, statics: { ...responder.statics, own: new Uint8Array(32).fill(9) } })
        for (const other of others) {
          expect(readMessage(p, beginHandshake(p, other), fromHex(v.messages[0]))).to.equal(undefined)
        }
      }
    })
  })
}
