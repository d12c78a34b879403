import { readFileSync } from 'node:fs'
import { expect } from 'chai'
import { ROLES, SPECIALTIES, roleMask } from '#core/credential/roles.ts'

const ROOT = new URL('../../../', import.meta.url)
const page = readFileSync(new URL('docs/specs/contracts-credentials.md', ROOT), 'utf8')
const source = readFileSync(new URL('contracts/libraries/CredentialRoles.sol', ROOT), 'utf8')

/** The codes in a section's table: `| 1 | physician | … |`. */
function codesIn(section: string): Record<string, string> {
  const text = page.split(`## ${section}`)[1]?.split('\n## ')[0] ?? ''
  return Object.fromEntries([...text.matchAll(/^\| (\d+) \| ([^|]+?) \|/gm)].map(([, code, name]) => [code, name]))
}

describe('codes of credentials', () => {
  it('are those of the specification', () => {
    expect(codesIn('Roles')).to.deep.equal({ ...ROLES })
    expect(codesIn('Specialties')).to.deep.equal({ ...SPECIALTIES })
  })

  it('are those that the contracts decide on', () => {
    const constants = [...source.matchAll(/constant ([A-Z]+) = (\d+);/g)]
    expect(constants).to.have.length(4)
    for (const [, name, code] of constants) expect(ROLES[Number(code)], name).to.equal(name?.toLowerCase())
  })

  it('make the mask of a policy', () => {
    expect(roleMask([])).to.equal(0)
    expect(roleMask([1, 2, 3])).to.equal(0b1110)
    expect(roleMask([1, 1, 19])).to.equal(2 + (1 << 19))
    for (const code of [0, -1, 1.5, 21, 32, 33]) expect(() => roleMask([code])).to.throw(RangeError)
  })
})
