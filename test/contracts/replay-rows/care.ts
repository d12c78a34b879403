import * as credentials from '#core/abi/typed-data/credentials.ts'
import * as emergencies from '#core/abi/typed-data/emergencies.ts'
import type { TestChain } from '#test/contracts/chain.ts'
import { openOffice } from '#test/contracts/credential-requests.ts'
import {
  STANDARD,
  breakGlass,
  dispute,
  emergencyOf,
  end,
  reviewByCredential,
  setPolicy,
  type Emergency
} from '#test/contracts/emergency-requests.ts'
import { hospitalKey, openWorld, type EmergencyWorld } from '#test/contracts/emergency-world.ts'
import { accountKey } from '#test/contracts/keys.ts'
import type { Row } from '#test/contracts/replay-matrix.ts'

const [ada, next, patientKey, rita] = [accountKey('ada'), accountKey('next'), accountKey('patient'), accountKey('rita')]

let real: TestChain
let world: EmergencyWorld
let emergency: Emergency
async function opened(chain: TestChain): Promise<void> {
  real = chain
  world = await openWorld(chain)
  emergency = emergencyOf(world.patient, world.adas)
}
async function broken(chain: TestChain): Promise<void> {
  await opened(chain)
  await breakGlass(chain, [ada], emergency)
}
async function over(chain: TestChain): Promise<void> {
  await broken(chain)
  await end(chain, patientKey, emergency)
}
const ofCredentials = { contract: 'CredentialRegistry', key: hospitalKey, prepare: opened } as const
const ofEmergencies = { contract: 'EmergencyAccess', key: patientKey, prepare: opened } as const

/** The requests of organisations, staff and patients about credentials and emergencies. */
export const CARE_ROWS: readonly Row[] = [
  {
    ...ofCredentials,
    name: 'issue, by the organisation',
    types: credentials.credentialBatchTypes,
    once: 'CredentialAlreadyIssued',
    send: (chain, by) => openOffice(chain, by).issue({ holder: ada })
  },
  {
    ...ofCredentials,
    name: 'issue, by the holder',
    key: ada,
    types: credentials.credentialTypes,
    once: 'CredentialAlreadyIssued',
    send: async (chain, by) => openOffice(real, hospitalKey).issue({ holder: by, deadline: await chain.deadline() })
  },
  {
    ...ofCredentials,
    name: 'revoke, by the organisation',
    types: credentials.credentialRevocationTypes,
    once: 'CredentialIsRevoked',
    send: (chain, by) => openOffice(chain, hospitalKey).revoke(ada, by)
  },
  {
    ...ofCredentials,
    name: 'revoke, by the holder',
    key: ada,
    types: credentials.credentialRevocationTypes,
    once: 'CredentialIsRevoked',
    send: (chain, by) => openOffice(chain, hospitalKey).revoke(ada, by)
  },
  {
    ...ofCredentials,
    name: 'rotateSigner, by the present signer',
    types: credentials.organisationRotationTypes,
    once: 'SignerNotTheOne',
    send: (chain, by) => openOffice(chain, hospitalKey).rotate(by, next)
  },
  {
    ...ofCredentials,
    name: 'rotateSigner, by the new signer',
    key: next,
    types: credentials.organisationRotationTypes,
    once: 'SignerNotTheOne',
    send: (chain, by) => openOffice(chain, hospitalKey).rotate(hospitalKey, by)
  },
  {
    ...ofEmergencies,
    name: 'setPolicy',
    types: emergencies.emergencyPolicyTypes,
    once: 'RequestSignatureInvalid',
    send: (chain, by) => setPolicy(chain, by, world.patient, STANDARD)
  },
  {
    ...ofEmergencies,
    name: 'breakGlass',
    key: ada,
    types: emergencies.breakGlassTypes,
    once: 'EmergencyAlreadyDeclared',
    send: (chain, by) => breakGlass(chain, [by], emergency)
  },
  {
    ...ofEmergencies,
    name: 'end',
    types: emergencies.emergencyEndTypes,
    once: 'EmergencyIsOver',
    prepare: broken,
    send: (chain, by) => end(chain, by, emergency)
  },
  {
    ...ofEmergencies,
    name: 'dispute',
    types: emergencies.emergencyDisputeTypes,
    once: 'EmergencyAlreadyDisputed',
    prepare: broken,
    send: (chain, by) => dispute(chain, by, emergency)
  },
  {
    ...ofEmergencies,
    name: 'reviewByCredential',
    key: rita,
    types: emergencies.emergencyReviewTypes,
    once: 'EmergencyAlreadyReviewed',
    prepare: over,
    send: (chain, by) => reviewByCredential(chain, by, emergency, world.ritas)
  }
]
