/** What people's agents ask the chain itself, not a node: whether a capsule is genuine, and who may have written what. */
import { Contract, JsonRpcProvider } from 'ethers'
import { accessGrantsAbi } from '#core/abi/AccessGrants.ts'
import type { CapsuleOnChain } from '#core/agent/grantee-state.ts'
import { foldRecordOnChain, type DatedEvent, type RecordOnChain } from '#core/agent/record-on-chain.ts'
import { createLogDecoder } from '#core/chain/events.ts'
import { fromHex, toHex } from '#core/encoding/bytes.ts'
import { expectThat, type Stage } from '#scripts/story/stage.ts'

/** What the chain says of a patient's record. */
export async function recordOnChain(stage: Stage, patient: Uint8Array): Promise<RecordOnChain> {
  const events = await withProvider(stage, provider => eventsOf(stage, provider))
  return foldRecordOnChain(stage.deployment, patient, events)
}

/** What the chain says of a grant and its patient. */
export async function capsuleOnChain(stage: Stage, grantId: Uint8Array, patient: Uint8Array): Promise<CapsuleOnChain> {
  return withProvider(stage, async provider => {
    const grants = new Contract(stage.deployment.contracts.AccessGrants.address, accessGrantsAbi, provider)
    const terms = (await grants.getFunction('termsOf')(toHex(grantId))) as bigint
    const keyBundle = (await grants.getFunction('keyBundleOf')(toHex(patient))) as string
    expectThat(terms !== 0n, 'the chain has the grant')
    return { terms, keyBundle: fromHex(keyBundle, 32) }
  })
}

/** Everything that the chain says of patients, in its order: asking for all tells the endpoint of none. */
async function eventsOf(stage: Stage, provider: JsonRpcProvider): Promise<DatedEvent[]> {
  const { contracts, blockNumber: fromBlock } = stage.deployment
  const decode = createLogDecoder(stage.deployment)
  const { address } = contracts.AccessGrants
  const logs = await provider.getLogs({ address, fromBlock })
  const dated = await Promise.all(
    logs.map(async log => {
      const event = decode(log)
      const block = await provider.getBlock(log.blockNumber)
      return event == null || block == null ? undefined : { event, timeS: block.timestamp }
    })
  )
  return dated.filter(each => each != null)
}

async function withProvider<T>({ chain }: Stage, ask: (provider: JsonRpcProvider) => Promise<T>): Promise<T> {
  const provider = new JsonRpcProvider(chain.rpcUrl)
  try {
    return await ask(provider)
  } finally {
    provider.destroy()
  }
}
