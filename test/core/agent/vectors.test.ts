import { readFileSync } from 'node:fs'
import { expect } from 'chai'
import { passphraseUnlocker } from '#core/agent/passphrase-lock.ts'
import { openVault } from '#core/agent/vault.ts'
import { portablePrimitives } from '#core/crypto/portable.ts'
import { fromHex, toHex } from '#core/encoding/bytes.ts'
import { openAnswerCode } from '#core/grant/answer-code.ts'
import { openRequestCode } from '#core/grant/request-code.ts'
import { nativePrimitives as p } from '#node/crypto/native.ts'
import { nativeStretch } from '#node/crypto/native-scrypt.ts'
import {
  agentVectors,
  CODE_NETWORK,
  NOW_S,
  PASSPHRASE,
  REQUEST_DIGEST,
  TARGET
} from '#scripts/vectors/agent-vectors.ts'
import type { VectorFile } from '#scripts/vectors/vector-file.ts'
import { expectCode } from '#test/error-code.ts'

const unlocker = passphraseUnlocker(nativeStretch, () => new Uint8Array(), { passphrase: PASSPHRASE })

const READERS: Readonly<Record<string, (bytes: Uint8Array) => unknown>> = {
  vault: async bytes => openVault(p, bytes, unlocker),
  'request-code': bytes => openRequestCode(p, bytes, { target: TARGET, nowS: NOW_S }),
  'answer-code': bytes =>
    openAnswerCode(p, bytes, { network: CODE_NETWORK, nowS: NOW_S, open: [REQUEST_DIGEST], answered: [] })
}

function committed(name: string): VectorFile {
  return JSON.parse(readFileSync(new URL(`../../vectors/${name}.json`, import.meta.url), 'utf8')) as VectorFile
}

describe('the published vectors of an agent', () => {
  it('are what the code makes', async () => {
    for (const [name, vectors] of Object.entries(await agentVectors(portablePrimitives))) {
      expect(committed(name), name).to.deep.equal(vectors)
    }
  })

  it('open, where good, and are refused, where bad, with the code they name', async () => {
    for (const [name, read] of Object.entries(READERS)) {
      const { valid, invalid } = committed(name)
      for (const each of valid) await read(fromHex(String(each['bytes'])))
      for (const { bytes, code } of invalid) await expectCode(code, () => read(fromHex(bytes)))
    }
  })

  it('give back the state of the vault', async () => {
    const [vector] = committed('vault').valid
    const { state } = await openVault(p, fromHex(String(vector?.['bytes'])), unlocker)
    expect(toHex(state)).to.equal(vector?.['state'])
  })
})
