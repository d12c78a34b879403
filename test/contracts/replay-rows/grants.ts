import { id } from 'ethers'
import * as grants from '#core/abi/typed-data/grants.ts'
import { signBatch } from '#test/contracts/batch-requests.ts'
import type { TestChain } from '#test/contracts/chain.ts'
import { accountKey } from '#test/contracts/keys.ts'
import type { Row } from '#test/contracts/replay-matrix.ts'
import {
  SCOPE,
  claim,
  grantIdOf,
  idOf,
  register,
  requestAccess,
  revoke,
  signGrant,
  termsFor,
  type Sent
} from '#test/contracts/requests.ts'

const [key, doctor] = [accountKey('patient'), accountKey('doctor')]
const patient = idOf(key.signer, id('salt'))
const common = { contract: 'AccessGrants', key } as const

const registered = (chain: TestChain): Sent => register(chain, key)
async function granted(chain: TestChain): Promise<void> {
  await registered(chain)
  await (await signGrant(chain, key, patient, termsFor(doctor, { uses: 2 }))).submit()
}

/** The requests about grants, of patients and those whom they let in. */
export const GRANT_ROWS: readonly Row[] = [
  {
    ...common,
    name: 'grant',
    types: grants.grantTypes,
    once: 'GrantAlreadyOpened',
    prepare: registered,
    send: async (chain, by) => (await signGrant(chain, by, patient, termsFor(doctor))).submit()
  },
  {
    ...common,
    name: 'grantWithAccount',
    types: grants.grantTypes,
    once: 'GrantAlreadyOpened',
    isCompact: true,
    prepare: registered,
    send: async (chain, by) => (await signGrant(chain, by, patient, termsFor(doctor))).submitCompact()
  },
  {
    ...common,
    name: 'grantBatch',
    types: grants.grantBatchTypes,
    once: 'GrantBatchAlreadyOpened',
    prepare: registered,
    send: async (chain, by) => (await signBatch(chain, by, patient, [{ ...termsFor(doctor), scope: SCOPE }])).submit()
  },
  {
    ...common,
    name: 'revoke',
    types: grants.revocationTypes,
    once: 'GrantIsRevoked',
    prepare: granted,
    send: (chain, by) => revoke(chain, by, patient)
  },
  {
    ...common,
    name: 'claim',
    key: doctor,
    types: grants.claimTypes,
    once: 'RequestSignatureInvalid',
    prepare: granted,
    send: (chain, by) => claim(chain, by, grantIdOf(patient, SCOPE), 1)
  },
  {
    ...common,
    name: 'requestAccess',
    types: grants.accessRequestTypes,
    once: 'AccessRequestMadeBefore',
    prepare: () => Promise.resolve(),
    send: (chain, by) => requestAccess(chain, by, id('request'))
  }
]
