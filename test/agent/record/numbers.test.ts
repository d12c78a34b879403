import { expect } from 'chai'
import type { Agent } from '#agent/agent.ts'
import { eraseEntry } from '#agent/custody/erasure.ts'
import { createPatientAccount } from '#agent/patient/account.ts'
import { importFile } from '#agent/patient/import.ts'
import { utf8 } from '#core/encoding/bytes.ts'
import { openPaperAgent, PaperNetwork } from '#test/agent/paper-agent.ts'

const NOW_MS = 1_795_180_000_000

describe('the numbers of a record’s headers', () => {
  let opened: Awaited<ReturnType<typeof openPaperAgent>>
  let agent: Agent

  before(async () => {
    opened = await openPaperAgent(new PaperNetwork(NOW_MS), () => NOW_MS)
    agent = opened.agent
    await createPatientAccount(agent)
  })

  after(async () => opened.close())

  const write = async (text: string): Promise<string> =>
    (await importFile(agent, { bytes: utf8(text), type: 'text/plain', compartment: null })).entries[0] ?? ''

  /** Everything, page by page. */
  async function listed(): Promise<{ numbers: number[]; count: number }> {
    const numbers: number[] = []
    for (let after: number | null = 0; after != null;) {
      const { entries, next } = await agent.record.list({ after, limit: 1 })
      numbers.push(...entries.map(({ position }) => position))
      after = next
    }
    return { numbers, count: new Set(numbers).size }
  }

  it('are given out once, though headers before them were erased', async () => {
    const first = await write('one')
    await write('two')
    await write('three')
    expect(await listed()).to.deep.equal({ numbers: [1, 2, 3], count: 3 })
    await eraseEntry(agent, first)
    await write('four')
    expect(await listed()).to.deep.equal({ numbers: [2, 3, 4], count: 3 })
    await agent.keeper.lock()
    await agent.keeper.unlock('correct horse battery staple')
    await write('five')
    expect(await listed()).to.deep.equal({ numbers: [2, 3, 4, 5], count: 4 })
  })
})
