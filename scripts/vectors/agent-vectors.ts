/** Vectors of an agent's formats: docs/specs/{vault,request-code}.md. */
import { Wallet } from 'ethers'
import { checkNumber, toCodeParts } from '#core/agent/code-text.ts'
import { granteeEvidence } from '#core/agent/grantee-requests.ts'
import { passphraseUnlocker } from '#core/agent/passphrase-lock.ts'
import { createVault, sealVault } from '#core/agent/vault.ts'
import { networkIdOf } from '#core/chain/network-id.ts'
import { portableStretch } from '#core/crypto/portable-scrypt.ts'
import type { Primitives } from '#core/crypto/primitives.ts'
import { fromHex, toHex, utf8 } from '#core/encoding/bytes.ts'
import { signAnswerCode } from '#core/grant/answer-code.ts'
import { signRequestCode, type RequestCode } from '#core/grant/request-code.ts'
import { deriveAgentKeys } from '#core/identity/agent-keys.ts'
import { PATIENT, invalidForms, readable, type VectorFile } from '#scripts/vectors/vector-file.ts'

/** The chain that readers of the codes are on. */
export const TARGET = {
  chainId: 31_337,
  contracts: { AccessGrants: { address: '0xe7f1725E7734CE288F8367e1Bb143E90bb3F0512' } }
}

/** When readers of the codes read, seconds since 1970-01-01. */
export const NOW_S = 1_795_000_000

/** What opens the vault of the vectors. */
export const PASSPHRASE = 'correct horse battery staple'

/** Digest of the request that readers of the answer have made. */
export const REQUEST_DIGEST: Uint8Array = new Uint8Array(32).fill(7)

/** The network of the codes. */
export const CODE_NETWORK: Uint8Array = networkIdOf(TARGET.chainId, TARGET.contracts.AccessGrants.address)

/** The files by name, without `.json`. */
export async function agentVectors(p: Primitives): Promise<Record<string, VectorFile>> {
  const clinician = await deriveAgentKeys(p, new Uint8Array(32).fill(2), [2])
  const patient = await deriveAgentKeys(p, new Uint8Array(32).fill(1), [2])
  const wallet = new Wallet(`0x${'22'.repeat(32)}`)
  const evidence = await granteeEvidence(clinician, {
    target: TARGET,
    notAfterS: NOW_S + 86_400,
    signTypedData: async (...data) => wallet.signTypedData(...data)
  })
  const request: RequestCode = {
    network: CODE_NETWORK,
    address: fromHex(wallet.address, 20),
    evidence,
    name: 'Dr. Ada Example',
    compartments: ['vitals', 'documents'],
    rights: 5,
    uses: 255,
    durationS: 2_592_000,
    purpose: 'treatment',
    issuedAtS: NOW_S,
    notAfterS: NOW_S + 600,
    nonce: new Uint8Array(16).fill(9)
  }
  const requestBytes = signRequestCode(p, request, clinician.signSeed)
  const answer = {
    network: CODE_NETWORK,
    patient: PATIENT,
    grantId: new Uint8Array(32).fill(5),
    request: REQUEST_DIGEST,
    author: patient.bundle.sign,
    notAfterS: NOW_S + 600
  }
  const answerBytes = signAnswerCode(p, answer, patient.signSeed)
  const anotherChain = (forms: VectorFile['invalid']) => forms.filter(({ name }) => name !== 'another patient')
  return {
    vault: await vaultVectors(p),
    'request-code': {
      description:
        'Requests for access as codes (docs/specs/request-code.md), read at 1795000000 on the chain of the domain',
      valid: [
        {
          signSeed: toHex(clinician.signSeed),
          request: readable(request),
          bytes: toHex(requestBytes),
          check: checkNumber(p, requestBytes),
          parts: toCodeParts(p, 'REQUEST', requestBytes)
        }
      ],
      invalid: anotherChain(invalidForms('REQUEST_CODE', requestBytes))
    },
    'answer-code': {
      description: 'Answers to requests as codes (docs/specs/request-code.md), read by who made the request 0707…',
      valid: [
        {
          signSeed: toHex(patient.signSeed),
          answer: readable(answer),
          bytes: toHex(answerBytes),
          parts: toCodeParts(p, 'ANSWER', answerBytes)
        }
      ],
      invalid: anotherChain(invalidForms('ANSWER_CODE', answerBytes))
    }
  }
}

async function vaultVectors(p: Primitives): Promise<VectorFile> {
  const random = (length: number): Uint8Array => new Uint8Array(length).fill(13)
  const cost = { logN: 14, r: 8, p: 1 }
  const unlocker = passphraseUnlocker(portableStretch, random, { passphrase: PASSPHRASE, cost })
  const state = utf8('the state of an agent')
  const bytes = sealVault(p, random, await createVault(p, random, [unlocker], state))
  return {
    description: 'Vaults (docs/specs/vault.md); their randomness is the byte 0d throughout',
    valid: [{ passphrase: PASSPHRASE, cost, state: toHex(state), bytes: toHex(bytes) }],
    invalid: invalidForms('VAULT', bytes)
  }
}
