import { createProvider } from '#node/chain/chain-rpc.ts'
import { nativePrimitives as p } from '#node/crypto/native.ts'
import { writeDurably } from '#node/store/durable-file.ts'
import { openBatchFiles } from '#gateway/batch-files.ts'
import { currentEvidence, storedDeployment } from '#gateway/cli/folder.ts'
import { loadOrCreateGateway } from '#gateway/identity.ts'
import { proveReading, proveToWitnesses } from '#gateway/prove.ts'

/** What `salus gateway prove` is told. */
export interface ProveOptions {
  readonly data: string
  readonly index: number
  readonly rpc?: string
  readonly out: string
}

/** Writes the proof of one reading: a bundle where there is a chain, else a proof file of the witnesses. */
export async function prove({ data, index, rpc, out }: ProveOptions): Promise<void> {
  const identity = await loadOrCreateGateway(p, data)
  const files = await openBatchFiles(data)
  if (rpc == null) {
    const proof = new TextEncoder().encode(await proveToWitnesses({ p, identity, files }, index))
    await writeDurably(out, proof)
    console.log(JSON.stringify({ event: 'proven', index, sizeBytes: proof.length, file: out }))
    return
  }
  const deployment = await storedDeployment(data)
  const provider = createProvider(rpc, deployment.chainId)
  try {
    const evidence = await currentEvidence(data, identity, deployment)
    const bundle = await proveReading({ p, rpc: provider, deployment, identity, files, evidence }, index)
    await writeDurably(out, bundle)
    console.log(JSON.stringify({ event: 'proven', index, sizeBytes: bundle.length, file: out }))
  } finally {
    provider.destroy()
  }
}
