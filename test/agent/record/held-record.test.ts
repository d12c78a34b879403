import { expect } from 'chai'
import { loadRecord, withNotices, type HeldRecord } from '#agent/record/held-record.ts'
import type { Journal } from '#agent/record/journal.ts'
import { toHex } from '#core/encoding/bytes.ts'
import { nativePrimitives as p } from '#node/crypto/native.ts'
import { TODAY, createLogWorld, type LogWorld } from '#test/core/log/log-world.ts'

describe('a record as an agent holds it', () => {
  let world: LogWorld
  let rows: Map<string, Uint8Array>

  const journal: Journal = {
    load: async () => Promise.resolve(new Map(rows)),
    async write(changes) {
      for (const [key, bytes] of changes) {
        if (bytes == null) rows.delete(key)
        else rows.set(key, bytes)
      }
      return Promise.resolve()
    }
  }
  const load = async (): Promise<HeldRecord> => loadRecord(p, world.facts, journal)

  before(async () => {
    world = await createLogWorld()
  })

  beforeEach(() => {
    rows = new Map()
  })

  it('remembers which tags were replaced, the earliest day of each, beside those that its reader knows of', async () => {
    const tag = '0x11'
    const held = await load()
    for (const day of [TODAY, TODAY - 3, TODAY - 1]) held.retire([[tag, day]])
    await journal.write(held.takeChanges())
    const { retired } = withNotices(
      {
        ...world.facts,
        retired: new Map([
          [tag, TODAY - 2],
          ['0x22', 5]
        ])
      },
      await load()
    )
    expect([...(retired ?? [])]).to.have.deep.members([
      [tag, TODAY - 3],
      ['0x22', 5]
    ])
  })

  it('refuses what was written under a replaced tag, also when it is taken up from the disk', async () => {
    const late = world.write(world.doctor, { day: TODAY })
    const held = await load()
    held.log.add(late)
    expect(held.log.node(late.name)?.state).to.equal('sound')
    held.retire([[toHex(late.header.tag), TODAY - 2]])
    held.log.renew(withNotices(world.facts, held))
    expect(held.log.node(late.name)?.code).to.equal('LOG_RETIRED')
    await journal.write(held.takeChanges())
    expect((await load()).log.node(late.name)?.code).to.equal('LOG_RETIRED')
  })

  it('forgets what was erased for good, and gives its number to nobody', async () => {
    const gone = world.write(world.doctor)
    const held = await load()
    held.log.add(gone)
    held.keep({ name: gone.name, number: 1, position: 1, headerBytes: gone.headerBytes })
    held.erase([gone.name])
    held.log.renew(withNotices(world.facts, held))
    await journal.write(held.takeChanges())
    expect([...rows.keys()]).to.deep.equal([`erased/${gone.name}`])
    const again = await load()
    expect(again.log.add(gone)).to.include({ state: 'refused', code: 'ENTRY_ERASED' })
    expect(held.lastNumber).to.equal(1)
  })
})
