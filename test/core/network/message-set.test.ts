import { readFileSync } from 'node:fs'
import { expect } from 'chai'
import fc from 'fast-check'
import { portablePrimitives } from '#core/crypto/portable.ts'
import { toHex } from '#core/encoding/bytes.ts'
import { differenceIn } from '#core/network/compare-sets.ts'
import { createMessageSet, MAX_LISTED, type MessageSet } from '#core/network/message-set.ts'
import { nativePrimitives as p } from '#node/crypto/native.ts'

interface Vectors {
  sets: { count: number; mark: string; under: Record<string, string> }[]
}

/** Id i of the sets of the vectors. */
function idOf(i: number): string {
  const number = new Uint8Array(4)
  new DataView(number.buffer).setUint32(0, i)
  const day = (20_000 + (i % 7)).toString(16).padStart(4, '0')
  return `${day}${toHex(p.sha256(number)).slice(2, 62)}`
}

function setOf(ids: Iterable<string>): MessageSet {
  const set = createMessageSet(p)
  for (const id of ids) set.add(id)
  return set
}

const numbers = fc.uniqueArray(fc.nat(3000), { maxLength: 400 })

describe('the set of messages', () => {
  const { sets } = JSON.parse(
    readFileSync(new URL('../../vectors/message-set.json', import.meta.url), 'utf8')
  ) as Vectors

  it('has the marks of the vectors', () => {
    for (const { count, mark, under } of sets) {
      const ids = Array.from({ length: count }, (_, i) => idOf(i))
      const portable = createMessageSet(portablePrimitives)
      for (const id of ids) portable.add(id)
      for (const set of [setOf(ids), setOf(ids.reverse()), portable]) {
        expect(set.size()).to.equal(count)
        expect(set.mark('')).to.equal(mark)
        for (const [prefix, expected] of Object.entries(under)) expect(set.mark(prefix), prefix).to.equal(expected)
      }
    }
  })

  it('has the same marks however it came to be', () => {
    fc.assert(
      fc.property(numbers, numbers, (kept, gone) => {
        const set = setOf([...gone, ...kept, ...kept].map(idOf))
        const stays = new Set(kept)
        for (const i of gone) if (!stays.has(i)) set.remove(idOf(i))
        for (const i of gone) if (!stays.has(i)) set.remove(idOf(i))
        expect(set.size()).to.equal(kept.length)
        expect(set.mark('')).to.equal(setOf(kept.map(idOf)).mark(''))
        for (const i of gone) expect(set.has(idOf(i))).to.equal(stays.has(i))
      }),
      { numRuns: 40 }
    )
  })

  it('finds by comparing exactly what is missing, whatever both have', () => {
    fc.assert(
      fc.property(numbers, numbers, (ours, theirs) => {
        const [mine, other] = [setOf(ours.map(idOf)), setOf(theirs.map(idOf))]
        const found: string[] = []
        const open = ['']
        for (let prefix = open.pop(); prefix != null; prefix = open.pop()) {
          const part = other.look(prefix)
          expect('ids' in part ? part.ids.length : 0).to.be.at.most(MAX_LISTED)
          const difference = differenceIn(prefix, part, mine)
          open.push(...difference.prefixes)
          found.push(...difference.ids)
        }
        const has = new Set(ours)
        expect(found.sort()).to.deep.equal(
          theirs
            .filter(i => !has.has(i))
            .map(idOf)
            .sort()
        )
      }),
      { numRuns: 40 }
    )
  })
})
