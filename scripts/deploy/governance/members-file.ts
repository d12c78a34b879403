import { readFile } from 'node:fs/promises'
import { readAddress, readMembers, type Governance } from '#core/chain/deployment-governance.ts'
import { PROFILES } from '#core/chain/roles.ts'
import { readMap } from '#core/encoding/shape.ts'
import { SalusError } from '#core/error.ts'

/**
 * Who governs, by a profile's name and a file `{"governor": "0x…", "members": {"PAUSER": ["0x…"], …}}`. A role that is left out
 * has no members, but `GOVERNOR` has the governor.
 *
 * @throws SalusError `DEPLOY_PROFILE` if there is no such profile; `DEPLOY_MEMBERS` if the file is not of this form
 */
export async function readGovernanceFile(profileName: string, path: string): Promise<Governance> {
  const profile = PROFILES.find(name => name === profileName)
  if (profile == null || profile === 'dev') {
    throw new SalusError('DEPLOY_PROFILE', 'A members file goes with --profile consortium or public.')
  }
  try {
    const map = readMap(JSON.parse(await readFile(path, 'utf8')), 'DEPLOYMENT', ['governor', 'members'])
    const governor = readAddress(map['governor'], 'governor')
    const members = readMembers(map['members'])
    const hasGovernors = members.GOVERNOR.length > 0
    return { profile, governor, members: hasGovernors ? members : { ...members, GOVERNOR: [governor] } }
  } catch (cause) {
    const why = cause instanceof SalusError ? cause.message : 'It cannot be read, or is not JSON.'
    throw new SalusError('DEPLOY_MEMBERS', `${path} does not say who governs. ${why}`, { cause })
  }
}
