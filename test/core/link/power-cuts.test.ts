/**
 * Sensors and gateways that lose power at any moment, with memories that tear, and a source of "randomness" that begins anew with the
 * same bytes after each start. `SALUS_LINK_CRASHES=10000` runs the number that the requirement names.
 */
import { expect } from 'chai'
import { toHex } from '#core/encoding/bytes.ts'
import { isSalusError } from '#core/error.ts'
import { createInitiator } from '#core/link/initiator.ts'
import { encodeMarks, formatMarks, newestMarks, SLOT_BYTES, slotOf, type Marks } from '#core/link/marks.ts'
import type { LinkPrimitives } from '#core/link/primitives.ts'
import { markToWrite, noteMark, RESERVED, reservationFrom, takeNumber } from '#core/link/reservation.ts'
import { createResponder, type LinkCredential } from '#core/link/responder.ts'
import { nativeLinkPrimitives } from '#gateway/link/native.ts'
import { replyOf } from '#test/core/link/ends.ts'
import { expectCode } from '#test/error-code.ts'
import { seededRandom } from '#test/seeded-random.ts'

const CRASHES = Number(process.env['SALUS_LINK_CRASHES'] ?? 500)
const FROM = '192.0.2.1|5683'

/** Primitives that remember under which key and nonce what was sealed. */
function watched(): { p: LinkPrimitives; reused: string[]; sealed: Map<string, string> } {
  const sealed = new Map<string, string>()
  const reused: string[] = []
  const p: LinkPrimitives = {
    ...nativeLinkPrimitives,
    aead(key) {
      const name = toHex(key)
      const aead = nativeLinkPrimitives.aead(key)
      return {
        open: (nonce, ciphertext, aad) => aead.open(nonce, ciphertext, aad),
        seal(nonce, plaintext, aad) {
          const out = aead.seal(nonce, plaintext, aad)
          const at = `${name}${toHex(nonce)}`
          const what = toHex(out)
          // The same bytes again tell nobody anything.
          if ((sealed.get(at) ?? what) !== what) reused.push(at)
          sealed.set(at, what)
          return out
        }
      }
    }
  }
  return { p, reused, sealed }
}

function newestOrNone(slots: readonly [Uint8Array, Uint8Array]): Marks | undefined {
  try {
    return newestMarks(nativeLinkPrimitives, slots)
  } catch (error) {
    if (isSalusError(error, 'LINK_MARKS_LOST')) return undefined
    throw error
  }
}

describe('sensors and gateways that lose power', function () {
  this.timeout(100 * CRASHES + 60_000)

  for (const suite of [1, 3] as const) {
    it(`use no nonce and no message number twice, and take nothing old, in ${String(CRASHES)} crashes (suite ${String(suite)})`, () => {
      const chance = seededRandom(`power cuts ${String(suite)}`)
      const below = (limit: number): number => ((chance(1)[0] ?? 0) * 256 + (chance(1)[0] ?? 0)) % limit
      const { p, reused, sealed } = watched()
      let slots = formatMarks(p)
      let secrets = { handle: chance(16), psk: chance(32), config: chance(32) }
      const stored: { credential: LinkCredential } = {
        credential: { ...secrets, device: 'monitor', sensor: 'monitor', suite, attempt: 0 }
      }
      const find = (): LinkCredential => stored.credential
      let responder = createResponder({ p, random: seededRandom('every start'), find })
      const captured: Uint8Array[] = []
      const messages = new Set<number>()
      const accepted = new Set<string>()
      let doubles = 0
      let nowMs = 1_700_000_000_000

      const deliver = (bytes: Uint8Array): Uint8Array | undefined => {
        const outcome = responder.receive(bytes, FROM, nowMs)
        if (outcome.type !== 'message') return replyOf(outcome)
        if (outcome.isFirst) stored.credential = { ...stored.credential, attempt: outcome.session.attempt }
        const text = toHex(outcome.plaintext)
        if (accepted.has(text)) doubles++
        accepted.add(text)
        return responder.seal('monitor', outcome.plaintext, nowMs)?.bytes
      }

      /** One life of the sensor; it ends after a number of steps, perhaps in the middle of a write. */
      const live = (steps: number): void => {
        let marks = newestMarks(p, slots)
        const attempts = reservationFrom(marks.attempts)
        const numbers = reservationFrom(marks.messages)
        const initiator = createInitiator({ p, random: seededRandom('every start') }, { ...secrets, suite })
        const write = (change: Partial<Marks>): boolean => {
          const next = { ...marks, ...change, writes: marks.writes + 1 }
          const slot = slots[slotOf(next)] ?? new Uint8Array()
          const bytes = encodeMarks(p, next)
          if (steps-- > 0) {
            slot.set(bytes)
            marks = next
            return true
          }
          const written = below(SLOT_BYTES + 1)
          slot.set(bytes.subarray(0, written))
          if (below(2) === 0) slot.set(chance(SLOT_BYTES - written), written)
          return false
        }
        const take = (reservation: typeof attempts, name: 'attempts' | 'messages'): number | undefined => {
          const mark = markToWrite(reservation)
          if (mark != null) {
            if (!write({ [name]: mark })) return undefined
            noteMark(reservation, mark)
          }
          return takeNumber(reservation)
        }
        while (steps-- > 0) {
          const attempt = take(attempts, 'attempts')
          if (attempt == null) return
          let bytes: Uint8Array | undefined = initiator.hello(attempt)
          for (let i = 0; i < 3 && bytes != null; i++) {
            captured.push(bytes)
            const reply = deliver(bytes)
            const outcome = reply == null ? undefined : initiator.receive(reply, nowMs)
            bytes = outcome?.type === 'send' ? outcome.bytes : undefined
          }
          for (let frames = below(6); frames > 0 && steps-- > 0 && initiator.openSinceMs != null; frames--) {
            const number = take(numbers, 'messages')
            if (number == null) return
            expect(messages.has(number), 'a message number').to.equal(false)
            messages.add(number)
            const frame = initiator.seal(Buffer.from(`${toHex(secrets.handle)} ${String(number)}`), nowMs)
            if (frame == null) return
            captured.push(frame)
            if (below(4) > 0) deliver(frame)
          }
        }
      }

      for (let crash = 0; crash < CRASHES; crash++) {
        nowMs += 60_000
        if (newestOrNone(slots) == null) {
          // Both slots are gone, which is noticed: the sensor is provisioned anew.
          slots = formatMarks(p)
          secrets = { handle: chance(16), psk: chance(32), config: chance(32) }
          stored.credential = { ...secrets, device: 'monitor', sensor: 'monitor', suite, attempt: 0 }
          responder.forget('monitor')
          messages.clear()
        }
        live(1 + below(24))
        if (below(3) === 0) responder = createResponder({ p, random: seededRandom('every start'), find })
        // Whatever was ever sent comes again.
        // Once in a while a memory cell forgets, in the slot that was written last as well as in the other.
        if (below(40) === 0) (slots[below(2)] ?? new Uint8Array())[below(SLOT_BYTES)] = below(256)
        for (let i = 0; i < 8; i++) deliver(captured[below(captured.length)] ?? new Uint8Array())
        if (captured.length > 4000) captured.splice(0, 2000)
      }
      expect(reused).to.deep.equal([])
      // A frame that was held back may be taken once later; none is taken twice.
      expect(doubles).to.equal(0)
      expect(accepted.size).to.be.greaterThan(CRASHES)
      expect(sealed.size).to.be.greaterThan(CRASHES)
    })
  }

  it('know when the numbers in use are not known', async () => {
    const p = nativeLinkPrimitives
    const [first, second] = formatMarks(p)
    const garbage = new Uint8Array(SLOT_BYTES).fill(1)
    expect(newestMarks(p, [first, second])).to.deep.equal({ writes: 1, attempts: 1, messages: 0 })
    expect(newestMarks(p, [first, garbage])).to.deep.equal({ writes: 0, attempts: 1 + RESERVED, messages: RESERVED })
    await expectCode('LINK_MARKS_LOST', () => newestMarks(p, [garbage, garbage]))
    await expectCode('LINK_MARKS_LOST', () => newestMarks(p, [new Uint8Array(), new Uint8Array()]))
  })
})
