import { expect } from 'chai'
import { alarmContent, type Alarm } from '#core/consent/alarm.ts'
import type { StandingInstruction } from '#core/consent/standing.ts'
import { SalusError } from '#core/error.ts'
import { toHex } from '#core/encoding/bytes.ts'
import { lookAtAlarms, retractAlarm, type AlarmComponents } from '#agent/glass/alarms.ts'
import type { Notification } from '#agent/glass/notifications.ts'
import type { Standing } from '#agent/glass/standing-shelf.ts'
import { silentLog } from '#test/node/chain/test-chain.ts'
import { expectCode } from '#test/error-code.ts'

const NOW_MS = 1_800_000_000_000
const GATEWAY = new Uint8Array(32).fill(1)
const PATIENT = new Uint8Array(32).fill(2)
const INSTRUCTION: StandingInstruction = {
  ...{ gateways: [GATEWAY], vitalsS: 3600, durationS: 7200, perDay: 3, untilS: NOW_MS / 1000 + 9_000 },
  crews: [{ address: new Uint8Array(20).fill(3), bundle: new Uint8Array(), name: 'crew' }]
}

/** A document that lies in memory. */
function paperDocument<T>(value: T) {
  let now = value
  return {
    read: async () => Promise.resolve(now),
    update: async (change: (before: T) => T | Promise<T>) => (now = await change(now))
  }
}

/** An agent on paper, whose chain refuses every grant, and a record of alarms by name. */
function paper(alarms: Readonly<Record<string, Partial<Alarm> | SalusError>>, refusal = 'GRANT_SHAPE') {
  const standing = paperDocument<Standing>({ instruction: INSTRUCTION, alarms: [] })
  const notifications = paperDocument<readonly Notification[]>([])
  const entryOf = (name: string): Uint8Array => new Uint8Array(16).fill(name.charCodeAt(0))
  const state = { patient: PATIENT, grants: [] }
  let asked = 0
  const components = {
    clock: () => NOW_MS,
    log: silentLog,
    keeper: { state: () => ({ patient: { operations: [], state } }) },
    shelf: { standing, notifications },
    accounts: {
      // Asked first for what was granted before, then to grant.
      async patient() {
        if (++asked === 2) throw new SalusError(refusal, 'Refused.')
        return Promise.resolve({ account: { state }, keys: {}, wallet: {} })
      }
    },
    record: {
      search: async () =>
        Promise.resolve(
          Object.keys(alarms).map(name => ({
            ...{ header: { entry: entryOf(name) }, cid: name },
            summary: { author: { kind: 'grantee', grantId: GATEWAY } }
          }))
        ),
      async open(name: string) {
        const found = alarms[name]!
        if (found instanceof SalusError) throw found
        const alarm: Alarm = { severity: 'high', atMs: NOW_MS, crew: null, isRetracted: false, ...found }
        return Promise.resolve({ content: alarmContent(alarm, name) })
      }
    }
  } as unknown as AlarmComponents
  const states = async (): Promise<Record<string, string>> =>
    Object.fromEntries(
      (await standing.read()).alarms.map(({ entry, state: at, why }) => [
        String.fromCharCode(entry[0]!),
        why === '' ? at : why
      ])
    )
  return { components, states, standing, notifications }
}

describe('an agent that looks at alarms', () => {
  it('judges each once, and is not held up by one that does not open any more', async () => {
    const { components, states } = paper({
      a: new SalusError('ENTRY_UNKNOWN', 'It was erased.'),
      b: { severity: 'low' },
      c: { atMs: NOW_MS - 3_600_000 }
    })
    await lookAtAlarms(components)
    await lookAtAlarms(components)
    expect(await states()).to.deep.equal({ b: 'not-meant', c: 'old' })
  })

  it('tells of what was meant and opened nothing, and of nothing else', async () => {
    const { components, notifications } = paper({ b: { severity: 'low' }, c: { crew: new Uint8Array(20).fill(9) } })
    await lookAtAlarms(components)
    const told = await notifications.read()
    expect(told.map(({ kind, subject }) => [kind, subject])).to.deep.equal([
      ['alarm-refused', toHex(new Uint8Array(16).fill('c'.charCodeAt(0)))]
    ])
  })

  it('tries again what is held up, and gives up what cannot be', async () => {
    const away = paper({ d: {} }, 'NODE_UNREACHABLE')
    await expectCode('NODE_UNREACHABLE', async () => lookAtAlarms(away.components))
    expect(await away.states()).to.deep.equal({ d: 'opening' })
    const never = paper({ d: {} }, 'WALLET_NOT_IN_CONTROL')
    await lookAtAlarms(never.components)
    expect(await never.states()).to.deep.equal({ d: 'WALLET_NOT_IN_CONTROL' })
  })

  it('stops at a node that is away, before anything is judged', async () => {
    const { components, states } = paper({ a: new SalusError('NODE_UNREACHABLE', 'No node answers.'), b: {} })
    await expectCode('NODE_UNREACHABLE', async () => lookAtAlarms(components))
    expect(await states()).to.deep.equal({})
  })

  it('takes back only what it knows', async () => {
    const { components } = paper({})
    await expectCode('ALARM_UNKNOWN', async () => retractAlarm(components, new Uint8Array(16)))
  })

  it('opens nothing any more once the instruction is taken back, also of what was begun', async () => {
    const { components, states, standing } = paper({ d: {} }, 'NODE_UNREACHABLE')
    await expectCode('NODE_UNREACHABLE', async () => lookAtAlarms(components))
    await standing.update(({ alarms }) => ({ instruction: null, alarms }))
    await lookAtAlarms(components)
    expect(await states()).to.deep.equal({ d: 'over' })
  })
})
