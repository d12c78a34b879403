import { createHmac } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { expect } from 'chai'
import { portablePrimitives } from '#core/crypto/portable.ts'
import { fromHex } from '#core/encoding/bytes.ts'
import { allTopics, TOPIC_BUCKETS, topicOf } from '#core/network/topic.ts'

interface Vectors {
  valid: { network: string; patient: string; topic: string }[]
}

const vectors = JSON.parse(
  readFileSync(new URL('../../vectors/topics.json', import.meta.url), 'utf8')
) as unknown as Vectors

describe('gossip topics', () => {
  for (const { network, patient, topic } of vectors.valid) {
    it(`gives the vector ${topic}`, () => {
      expect(topicOf(portablePrimitives, fromHex(network), fromHex(patient))).to.equal(topic)
      const [first = 0] = createHmac('sha256', fromHex(network)).update(fromHex(patient)).digest()
      expect(topic).to.equal(`/salus/1/${network.slice(2, 10)}/${String(first % TOPIC_BUCKETS)}`)
    })
  }

  it('spreads patients over all buckets of a network, each of which is listed', () => {
    const network = new Uint8Array(32).fill(1)
    const used = new Set<string>()
    for (let i = 0; i < 2000; i++) {
      const patient = portablePrimitives.sha256(new Uint8Array([i >> 8, i & 255]))
      used.add(topicOf(portablePrimitives, network, patient))
    }
    expect([...used].sort()).to.deep.equal(allTopics(network).sort())
    expect(used.size).to.equal(TOPIC_BUCKETS)
  })

  it('gives networks topics of their own', () => {
    const ours = new Set(allTopics(new Uint8Array(32).fill(1)))
    expect(allTopics(new Uint8Array(32).fill(2)).some(topic => ours.has(topic))).to.equal(false)
  })
})
