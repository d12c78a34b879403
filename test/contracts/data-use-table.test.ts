import { expect } from 'chai'
import { openChain, type TestChain } from '#test/contracts/chain.ts'
import { USE } from '#test/contracts/release-requests.ts'
import { researchContracts } from '#test/contracts/research-contracts.ts'

const { NRES, GRU, HMB, DS, POA, NCU, NPU, NPUNCU, NMDS, NPOA, IRB, NRI, NOLINK, CC } = USE
const { METHODS, CONTROL_SET, COMMERCIAL, CLINICAL_CARE } = USE

/** Permissions of data sets, in the order of the columns. */
const GIVEN = { NRES, GRU, HMB, DS, POA }
/** Limits that are tried with each permission, in the order of the rows. */
const LIMITS = { none: 0, NCU, NPU, NPUNCU, NMDS, NPOA, IRB, NOLINK, CC }
/** What is asked for beyond a kind of research. */
const EXTRAS = { plain: 0, METHODS, CONTROL_SET, COMMERCIAL, CLINICAL_CARE }
const KINDS = { GRU, HMB, DS, POA }

type Name<T> = keyof T & string

/** Which permissions let a kind of research in; POA is for those who gave it, and who left the purpose open. */
const LETS_IN: Readonly<Record<Name<typeof KINDS>, readonly string[]>> = {
  GRU: ['NRES', 'GRU'],
  HMB: ['NRES', 'GRU', 'HMB'],
  DS: ['NRES', 'GRU', 'HMB', 'DS'],
  POA: ['NRES', 'GRU', 'POA']
}

/** Which permissions let an extra in, and which limits keep it out of all but the permissions named. */
const EXTRA_RULES: Readonly<
  Record<Name<typeof EXTRAS>, { needs: readonly string[]; needsLimit?: string; stoppedBy: Record<string, string[]> }>
> = {
  plain: { needs: Object.keys(GIVEN), stoppedBy: {} },
  METHODS: { needs: Object.keys(GIVEN), stoppedBy: { NMDS: ['DS'] } },
  CONTROL_SET: { needs: ['NRES', 'GRU', 'HMB'], stoppedBy: {} },
  COMMERCIAL: { needs: Object.keys(GIVEN), stoppedBy: { NCU: [], NPU: [], NPUNCU: [] } },
  CLINICAL_CARE: { needs: Object.keys(GIVEN), needsLimit: 'CC', stoppedBy: {} }
}

interface Row {
  readonly name: string
  readonly use: number
  readonly purpose: number
  readonly isAllowed: boolean
}

/** Every permission under every limit, against every kind with every extra, its duties undertaken or not. */
function* rows(): Generator<Row> {
  for (const [given, permission] of Object.entries(GIVEN))
    for (const [limit, limitBits] of Object.entries(LIMITS))
      for (const [kind, kindBits] of Object.entries(KINDS))
        for (const [extra, extraBits] of Object.entries(EXTRAS))
          for (const duties of [NRI, NRI | IRB | NOLINK]) {
            const { needs, needsLimit, stoppedBy } = EXTRA_RULES[extra as Name<typeof EXTRAS>]
            const stopped = stoppedBy[limit]
            yield {
              name: `${given} ${limit} / ${kind} ${extra} ${String(duties)}`,
              use: permission | limitBits | NRI,
              purpose: kindBits | extraBits | duties,
              isAllowed:
                LETS_IN[kind as Name<typeof KINDS>].includes(given) &&
                needs.includes(given) &&
                (needsLimit == null || needsLimit === limit) &&
                (stopped == null || stopped.includes(given)) &&
                !(kind === 'POA' && limit === 'NPOA') &&
                ((limit !== 'IRB' && limit !== 'NOLINK') || duties !== NRI)
            }
          }
}

describe('DataUse against its truth table', function () {
  this.timeout(60_000)
  let chain: TestChain
  before(async () => {
    chain = await openChain()
  })
  after(() => chain.close())

  it('answers every row as the table does', async () => {
    const { releases } = researchContracts(chain)
    const table = [...rows()]
    expect(table).to.have.lengthOf(1800)
    const wrong: string[] = []
    for (const { name, use, purpose, isAllowed } of table)
      if ((await releases.isPurposeAllowed(use, purpose)) !== isAllowed) wrong.push(name)
    expect(wrong).to.deep.equal([])
    expect(table.filter(({ isAllowed }) => isAllowed).length).to.be.above(200)
  })
})
