import { id } from 'ethers'
import * as patients from '#core/abi/typed-data/patients.ts'
import * as recovery from '#core/abi/typed-data/recovery.ts'
import type { TestChain } from '#test/contracts/chain.ts'
import { accountKey, type Key } from '#test/contracts/keys.ts'
import { DELAY_S, circleOf, setGuardians, signRecovery, vetoRecovery } from '#test/contracts/recovery-requests.ts'
import type { Row } from '#test/contracts/replay-matrix.ts'
import { idOf, register, rotateSigner, updateKeyBundle, type Sent } from '#test/contracts/requests.ts'

const [key, next] = [accountKey('patient'), accountKey('next')]
const patient = idOf(key.signer, id('salt'))
const guardians = [accountKey('guardian'), accountKey('second guardian')]
const circle = circleOf(patient, guardians)
const common = { contract: 'AccessGrants', key } as const

const registered = (chain: TestChain): Sent => register(chain, key)
async function guarded(chain: TestChain): Promise<void> {
  await registered(chain)
  await setGuardians(chain, key, patient, { root: circle.tree.root, threshold: 2, delay: DELAY_S })
}
async function recover(chain: TestChain, to: Key, by: readonly Key[]): Sent {
  return (await signRecovery(chain, patient, to, { circle, guardians: circle.inOrder(by) }))()
}
/** The requests of patients about themselves. */
export const PATIENT_ROWS: readonly Row[] = [
  {
    ...common,
    name: 'register',
    types: patients.registrationTypes,
    once: 'PatientAlreadyRegistered',
    prepare: () => Promise.resolve(),
    send: register
  },
  {
    ...common,
    name: 'updateKeyBundle',
    types: patients.keyBundleUpdateTypes,
    once: 'RequestSignatureInvalid',
    prepare: registered,
    send: (chain, by) => updateKeyBundle(chain, by, patient, id('new keys'))
  },
  {
    ...common,
    name: 'rotateSigner, by the present signer',
    types: patients.signerRotationTypes,
    once: 'SignerNotTheOne',
    prepare: registered,
    send: (chain, by) => rotateSigner(chain, by, next, patient)
  },
  {
    ...common,
    name: 'rotateSigner, by the new signer',
    key: next,
    types: patients.signerRotationTypes,
    once: 'SignerNotTheOne',
    prepare: registered,
    send: (chain, by) => rotateSigner(chain, key, by, patient)
  },
  {
    ...common,
    name: 'setGuardians',
    types: recovery.guardianSetTypes,
    once: 'RequestSignatureInvalid',
    prepare: registered,
    send: (chain, by) => setGuardians(chain, by, patient, { root: circle.tree.root, threshold: 2, delay: DELAY_S })
  },
  {
    ...common,
    name: 'openRecovery, by the new signer',
    key: next,
    types: recovery.recoveryTypes,
    once: 'RecoveryUnderWay',
    prepare: guarded,
    send: (chain, by) => recover(chain, by, guardians)
  },
  {
    ...common,
    name: 'openRecovery, by a guardian',
    key: guardians[0]!,
    types: recovery.recoveryTypes,
    once: 'RecoveryUnderWay',
    prepare: guarded,
    send: (chain, by) => recover(chain, next, [by, guardians[1]!])
  },
  {
    ...common,
    name: 'vetoRecovery',
    types: recovery.recoveryVetoTypes,
    once: 'RecoveryNotOpen',
    prepare: async chain => {
      await guarded(chain)
      await recover(chain, next, guardians)
    },
    send: (chain, by) => vetoRecovery(chain, by, patient)
  }
]
