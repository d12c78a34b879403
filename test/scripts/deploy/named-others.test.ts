import { expect } from 'chai'
import { CONTRACT_NAMES } from '#core/chain/contract-names.ts'
import { FUNCTION_ROLES } from '#scripts/deploy/governance/functions.ts'
import { PROFILE_TERMS } from '#scripts/deploy/governance/profiles.ts'

const DAY = 86_400
/** Stops or takes less at once, looks, or books: everything else loosens something, or names others. */
const AT_ONCE = [
  'CredentialRegistry.suspend',
  'EmergencyAccess.liftBlock',
  'EmergencyAccess.review',
  'PrivacyLedger.spend',
  'ReleaseRegistry.retireScheme'
]

describe('what governance can name others to do', () => {
  for (const profile of ['consortium', 'public'] as const) {
    it(`waits at least a day under the profile ${profile}, as does all that loosens something`, () => {
      const atOnce = CONTRACT_NAMES.flatMap(name =>
        Object.entries(FUNCTION_ROLES[name] ?? {})
          .filter(([, role]) => role === 'ADMIN' || PROFILE_TERMS[profile].roles[role].executionDelay < DAY)
          .map(([signature]) => `${name}.${signature.slice(0, signature.indexOf('('))}`)
      )
      expect(atOnce.filter(name => !name.endsWith('.pause')).sort()).to.deep.equal(AT_ONCE)
      expect(PROFILE_TERMS[profile].admin.executionDelay).to.be.at.least(2 * DAY)
      expect(PROFILE_TERMS[profile].targetAdminDelay).to.be.at.least(2 * DAY)
    })
  }
})
