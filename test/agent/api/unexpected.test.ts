import { expect } from 'chai'
import { withoutMessage } from '#agent/api/unexpected.ts'
import { SalusError } from '#core/error.ts'

describe('an error that nobody expected', () => {
  const told: string[] = []
  const log = { error: (fields: object, text: string) => void told.push(JSON.stringify({ ...fields, text })) }

  beforeEach(() => {
    told.length = 0
  })

  it('is told by its place, never by its message, which may quote what was decrypted', () => {
    const thrown = new SyntaxError('Unexpected token \'H\', "HIV positive\n    at home" is not valid JSON')
    expect(thrown.stack).to.contain('HIV')
    const answer = withoutMessage(thrown, log)
    expect(answer.code).to.equal('HTTP_INTERNAL')
    expect(`${answer.message}${told.join()}`).to.not.match(/HIV|home/)
    expect(told.join()).to.contain('SyntaxError').and.to.contain('unexpected.test.ts')
    withoutMessage('HIV', log)
    expect(told.join()).to.not.contain('HIV')
  })

  it('of our own is passed on as it is, and not logged', () => {
    const own = new SalusError('ENTRY_UNKNOWN', 'There is no such entry.')
    expect(withoutMessage(own, log)).to.equal(own)
    expect(told).to.deep.equal([])
  })
})
