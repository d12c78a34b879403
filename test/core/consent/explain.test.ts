import { expect } from 'chai'
import { explainAccess, type AccessToExplain, type ChainPlace, type GrantHistory } from '#core/consent/explain.ts'
import { packTerms, RIGHT_READ, RIGHT_WRITE, UNLIMITED_USES, type Terms } from '#core/grant/terms.ts'

const place = (blockNumber: number): ChainPlace => ({
  contract: 'AccessGrants',
  blockNumber,
  transactionHash: `0x${'ab'.repeat(32)}`,
  logIndex: 0
})
const history = (terms: Partial<Terms> = {}, changes: Partial<GrantHistory> = {}): GrantHistory => ({
  terms: packTerms({
    grantee: new Uint8Array(20).fill(1),
    notBefore: 1000,
    expiresAt: 2000,
    rights: RIGHT_READ,
    uses: UNLIMITED_USES,
    ...terms
  }),
  grantedAt: place(5),
  claims: [],
  revoked: null,
  ...changes
})
const access = (changes: Partial<AccessToExplain> = {}): AccessToExplain => ({
  grant: history(),
  compartments: ['vitals'],
  compartment: 'vitals',
  right: RIGHT_READ,
  atS: 1500,
  entry: { isOpened: true },
  role: null,
  ...changes
})

describe('explaining an access', () => {
  it('names each reason with its place on the chain', () => {
    const { isAllowed, steps } = explainAccess(access({ role: { isAllowed: true, rule: 'nurse' } }))
    expect(isAllowed).to.equal(true)
    expect(steps.map(({ question }) => question)).to.deep.equal([
      'GRANT_EXISTS',
      'GRANT_BY_RULE',
      'SECTION_GRANTED',
      'RIGHT_GRANTED',
      'GRANT_BEGUN',
      'GRANT_NOT_EXPIRED',
      'GRANT_NOT_REVOKED',
      'KEYS_OPEN'
    ])
    expect(steps[0]?.proof).to.deep.equal(place(5))
  })

  const denied: [string, Partial<AccessToExplain>][] = [
    ['GRANT_EXISTS', { grant: null }],
    ['GRANT_BY_RULE', { role: { isAllowed: false, because: 'not-this-right' } }],
    ['SECTION_GRANTED', { compartment: 'mental' }],
    ['RIGHT_GRANTED', { right: RIGHT_WRITE }],
    ['GRANT_BEGUN', { atS: 999 }],
    ['GRANT_NOT_EXPIRED', { atS: 2000 }],
    ['GRANT_NOT_REVOKED', { grant: history({}, { revoked: { atS: 1500, place: place(9) } }) }],
    ['USE_CLAIMED', { grant: history({ uses: 1 }) }],
    ['USE_CLAIMED', { grant: history({ uses: 1 }, { claims: [{ atS: 900, place: place(7) }] }) }],
    ['USE_CLAIMED', { grant: history({ uses: 1 }, { claims: [{ atS: 1501, place: place(7) }] }) }],
    ['KEYS_OPEN', { entry: { isOpened: false } }]
  ]
  for (const [question, changes] of denied) {
    it(`ends with ${question} where that fails`, () => {
      const { isAllowed, steps } = explainAccess(access(changes))
      expect(isAllowed).to.equal(false)
      expect(steps.at(-1)).to.include({ question, holds: false })
      expect(steps.slice(0, -1).every(({ holds }) => holds)).to.equal(true)
    })
  }

  it('allows from the second of the beginning to the one before the end, and until a revocation', () => {
    expect(explainAccess(access({ atS: 1000 })).isAllowed).to.equal(true)
    expect(explainAccess(access({ atS: 1999 })).isAllowed).to.equal(true)
    const revoked = history({}, { revoked: { atS: 1500, place: place(9) } })
    expect(explainAccess(access({ grant: revoked, atS: 1499 })).isAllowed).to.equal(true)
  })

  it('shows the claim of a one-time grant', () => {
    const grant = history({ uses: 1 }, { claims: [{ atS: 901, place: place(7) }] })
    const { isAllowed, steps } = explainAccess(access({ grant }))
    expect(isAllowed).to.equal(true)
    expect(steps.find(({ question }) => question === 'USE_CLAIMED')?.proof).to.deep.equal(place(7))
  })

  it('speaks of a whole section where no entry is named', () => {
    const { steps } = explainAccess(access({ entry: null }))
    expect(steps.some(({ question }) => question === 'KEYS_OPEN')).to.equal(false)
  })
})
