import { expect } from 'chai'
import { CID } from 'multiformats/cid'
import { lookAtAlarms, type AlarmComponents } from '#agent/glass/alarms.ts'
import { standingFormat, withAlarm, type JudgedAlarm, type Standing } from '#agent/glass/standing-shelf.ts'
import { alarmContent } from '#core/consent/alarm.ts'

const NOW_MS = 1_795_180_000_000
const GATEWAY = new Uint8Array(32).fill(1)
const OTHER = new Uint8Array(32).fill(2)
const idOf = (number: number): Uint8Array => {
  const id = new Uint8Array(16)
  new DataView(id.buffer).setUint32(0, number)
  return id
}
const judgedOf = (number: number, state: JudgedAlarm['state']): JudgedAlarm => ({
  ...{ entry: idOf(number), atS: number, untilS: number, crew: new Uint8Array(), grants: [], state, why: '' }
})

describe('many alarms', () => {
  it('of a gateway are judged, however many others stand before them', async () => {
    const cid = CID.parse('bafyreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku')
    const entries = Array.from({ length: 700 }, (_, i) => ({
      header: { entry: idOf(i) },
      cid,
      summary: { author: { kind: 'grantee', grantId: i === 699 ? GATEWAY : OTHER } }
    }))
    const instruction = { gateways: [GATEWAY], crews: [], vitalsS: 3600, durationS: 3600, perDay: 3, untilS: 2 ** 40 }
    let standing: Standing = { instruction, alarms: [] }
    const content = alarmContent({ severity: 'low', atMs: NOW_MS, crew: null, isRetracted: false }, 'a loose wire')
    const components = {
      clock: () => NOW_MS,
      keeper: { state: () => ({ patient: { operations: [] } }) },
      shelf: {
        standing: {
          read: async () => Promise.resolve(standing),
          update: async (change: (now: Standing) => Standing) => Promise.resolve((standing = change(standing)))
        }
      },
      record: {
        search: async ({ limit, offset = 0 }: { limit: number; offset?: number }) =>
          Promise.resolve(entries.slice(offset, offset + limit)),
        open: async () => Promise.resolve({ content })
      }
    }
    await lookAtAlarms(components as unknown as AlarmComponents)
    expect(standing.alarms.map(({ entry, why }) => [entry, why])).to.deep.equal([[idOf(699), 'not-meant']])
  })

  it('that opened something are remembered, however many are refused after them', () => {
    let alarms: readonly JudgedAlarm[] = [judgedOf(0, 'opened'), judgedOf(1, 'refused'), judgedOf(2, 'over')]
    for (let i = 3; i < 4_200; i++) alarms = withAlarm(alarms, judgedOf(i, 'refused'))
    expect(alarms).to.have.lengthOf(4_096)
    expect(alarms.slice(0, 2).map(({ state }) => state)).to.deep.equal(['opened', 'over'])
    expect(alarms.at(-1)?.entry).to.deep.equal(idOf(4_199))
    const kept = standingFormat.decode(standingFormat.encode({ instruction: null, alarms }))
    expect(kept.alarms).to.have.lengthOf(4_096)
  })
})
