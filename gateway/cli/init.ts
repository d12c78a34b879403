import { readFile } from 'node:fs/promises'
import { toHex } from '#core/encoding/bytes.ts'
import { decodeEvidence } from '#core/identity/evidence.ts'
import { nativePrimitives as p } from '#node/crypto/native.ts'
import { currentEvidence, storeDeployment } from '#gateway/cli/folder.ts'
import { loadOrCreateGateway } from '#gateway/identity.ts'

/** What `salus gateway init` is told. */
export interface InitOptions {
  readonly data: string
  readonly deployment: string
}

/** Makes the keys of a gateway and prints who it is. */
export async function initGateway({ data, deployment: file }: InitOptions): Promise<void> {
  const identity = await loadOrCreateGateway(p, data)
  const deployment = await storeDeployment(data, await readFile(file))
  const evidence = await currentEvidence(data, identity, deployment)
  const binding = decodeEvidence(evidence).binding
  console.log(
    JSON.stringify({
      gateway: toHex(identity.id),
      address: identity.wallet.address.toLowerCase(),
      keyBundle: toHex(identity.keys.bundleBytes),
      certificate: toHex(identity.certificate),
      binding: binding == null ? null : { notAfter: binding.notAfter, signature: toHex(binding.signature) }
    })
  )
}
