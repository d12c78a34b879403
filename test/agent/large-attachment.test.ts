import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { peakMib } from '#scripts/process/peak.ts'
import { until } from '#scripts/story/until.ts'
import { largeDocument } from '#scripts/synthetic/large-document.ts'
import { createAgentWorld, type AgentProcess, type AgentWorld } from '#test/agent/world.ts'

const MIB = 1_048_576
const SMALL_MIB = 4
const LARGE_MIB = 100

/** The whole content would be as much again as this, and a third more as text. */
const MOST_GROWTH_MIB = 64

describe('a large attachment', function () {
  this.timeout(600_000)
  let world: AgentWorld

  before(async () => {
    world = await createAgentWorld()
  })

  after(async () => {
    await world.stop()
  })

  /** Takes a document in, gives it out again, and serves its content; each time it has to be the same. */
  async function passThrough(agent: AgentProcess, mib: number): Promise<void> {
    await agent.run('patient', 'create', '--passphrase-file', world.passphraseFile)
    const whole = createHash('sha256')
    const source = async function* (): AsyncGenerator<Uint8Array> {
      for await (const piece of largeDocument(mib * MIB)) {
        whole.update(piece)
        yield piece
      }
    }
    const { id } = await agent.client.upload<{ id: string }>('/v1/patient/imports', source())
    await until('the import is done', 300_000, async () => {
      const { state } = await agent.client.get<{ state: string }>(`/v1/patient/imports/${id}`)
      return state === 'done'
    })
    const { originals } = await agent.client.get<{ originals: { entry: string }[] }>('/v1/patient/originals')
    const again = createHash('sha256')
    for await (const piece of agent.client.download(`/v1/patient/originals/${originals[0]?.entry ?? ''}/body`)) {
      again.update(piece)
    }
    expect(again.digest('hex')).to.equal(whole.digest('hex'))
    expect(await servedBytes(agent)).to.equal(mib * MIB)
  }

  async function servedBytes({ home, url }: AgentProcess): Promise<number> {
    const headers = { authorization: `Bearer ${await readFile(join(home, 'token'), 'utf8')}` }
    const resource = (await (await fetch(`${url}/fhir/DocumentReference/large`, { headers })).json()) as {
      content: { attachment: { url: string } }[]
    }
    const content = await fetch(resource.content[0]?.attachment.url ?? '', { headers })
    let bytes = 0
    for await (const piece of content.body as AsyncIterable<Uint8Array>) bytes += piece.length
    return bytes
  }

  it('goes in and out through an agent that never holds the whole of it', async function () {
    const peaks: number[] = []
    for (const mib of [SMALL_MIB, LARGE_MIB]) {
      const agent = await world.agent(`of-${String(mib)}`)
      await passThrough(agent, mib)
      const peak = await peakMib(agent.service.pid)
      await agent.stop()
      if (peak == null) this.skip()
      peaks.push(peak)
    }
    const [small = 0, large = 0] = peaks
    expect(large - small).to.be.below(MOST_GROWTH_MIB)
  })
})
