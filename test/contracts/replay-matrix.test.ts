import { expect } from 'chai'
import * as anchors from '#core/abi/typed-data/anchors.ts'
import * as consents from '#core/abi/typed-data/consents.ts'
import * as credentials from '#core/abi/typed-data/credentials.ts'
import * as emergencies from '#core/abi/typed-data/emergencies.ts'
import * as firmware from '#core/abi/typed-data/firmware.ts'
import * as grants from '#core/abi/typed-data/grants.ts'
import * as nodes from '#core/abi/typed-data/nodes.ts'
import * as patients from '#core/abi/typed-data/patients.ts'
import * as recovery from '#core/abi/typed-data/recovery.ts'
import * as research from '#core/abi/typed-data/research.ts'
import * as warrants from '#core/abi/typed-data/warrants.ts'
import { openChain, type TestChain } from '#test/contracts/chain.ts'
import { tryRow } from '#test/contracts/replay-matrix.ts'
import { ANCHOR_ROWS } from '#test/contracts/replay-rows/anchors.ts'
import { CARE_ROWS } from '#test/contracts/replay-rows/care.ts'
import { FIRMWARE_ROWS } from '#test/contracts/replay-rows/firmware.ts'
import { FLEET_ROWS } from '#test/contracts/replay-rows/fleets.ts'
import { GRANT_ROWS } from '#test/contracts/replay-rows/grants.ts'
import { PATIENT_ROWS } from '#test/contracts/replay-rows/patients.ts'
import { RESEARCH_ROWS } from '#test/contracts/replay-rows/research.ts'
import { WARRANT_ROWS } from '#test/contracts/replay-rows/warrants.ts'

const STRUCTS = {
  ...{ ...anchors, ...consents, ...credentials, ...emergencies, ...firmware, ...grants },
  ...{ ...nodes, ...patients, ...recovery, ...research, ...warrants }
}
const ROWS = [
  ...[...PATIENT_ROWS, ...GRANT_ROWS, ...CARE_ROWS, ...ANCHOR_ROWS, ...FIRMWARE_ROWS],
  ...[...FLEET_ROWS, ...RESEARCH_ROWS, ...WARRANT_ROWS]
]

describe('every signed request of every contract', () => {
  let chain: TestChain
  before(async () => {
    chain = await openChain()
  })
  afterEach(() => chain.reset())
  after(() => chain.close())

  it('is in the table', () => {
    const tried = new Set(ROWS.map(({ types }) => types))
    const missing = Object.entries(STRUCTS).filter(
      ([name, types]) => name.endsWith('Types') && !tried.has(types as never)
    )
    expect(missing.map(([name]) => name)).to.deep.equal([])
  })

  for (const row of ROWS) {
    it(`counts in one place, form and time, and once: ${row.contract}.${row.name}`, () => tryRow(chain, row))
  }
})
