/**
 * What the chain says of one patient, asked of an endpoint by whoever follows no chain: a guardian's agent before it hands out a
 * share (docs/specs/guardian-share.md).
 */
import { toBeHex, type JsonRpcProvider } from 'ethers'
import type { Deployment } from '#core/chain/deployment.ts'
import { createLogDecoder, type Hex } from '#core/chain/events.ts'
import { projectEvents } from '#core/chain/projection.ts'
import { createChainView, type ChainView } from '#core/chain/view.ts'
import { SalusError } from '#core/error.ts'
import { createChainRpc } from '#node/chain/chain-rpc.ts'
import { pagesBackwards } from '#node/chain/log-pages.ts'

/** A log as the endpoint gives it, as far as it is looked at here. */
interface FoundLog {
  readonly address: string
  readonly topics: readonly string[]
  readonly data: string
  readonly blockNumber: number
  readonly index: number
}

/**
 * Reads a patient's registration, keys and recovery up to the newest block that is old enough to count as final.
 *
 * @param patient - id, `0x…`
 * @param confirmations - blocks on top of one before it counts
 * @returns a view in which only this patient is; its time is that of the newest block that counts
 * @throws SalusError `CHAIN_UNREACHABLE`, `CHAIN_RPC_FAILED`, `CHAIN_LOG_MALFORMED`; `CHAIN_OTHER_CHAIN`
 */
export async function readPatientFacts(
  provider: JsonRpcProvider,
  deployment: Deployment,
  patient: Hex,
  confirmations: number
): Promise<ChainView> {
  const rpc = createChainRpc(provider)
  if ((await rpc.chainId()) !== deployment.chainId) {
    throw new SalusError('CHAIN_OTHER_CHAIN', 'The RPC endpoint is of another chain than the deployment.')
  }
  const toBlock = Math.max(deployment.blockNumber, (await rpc.headNumber()) - confirmations)
  const { address } = deployment.contracts.AccessGrants
  const found: FoundLog[] = []
  const read = async (from: number, to: number): Promise<readonly FoundLog[]> =>
    // Every event about a patient's keys and recovery names the patient first.
    provider.getLogs({ address, fromBlock: toBeHex(from), toBlock: toBeHex(to), topics: [null, patient] })
  for await (const page of pagesBackwards(read, { fromBlock: deployment.blockNumber, toBlock })) found.push(...page)
  found.sort((a, b) => a.blockNumber - b.blockNumber || a.index - b.index)

  const decode = createLogDecoder(deployment)
  const rows = new Map<string, string>()
  const timeOf = async (number: number): Promise<number> => {
    const header = await rpc.header(number)
    if (header == null) throw new SalusError('CHAIN_RPC_FAILED', 'The RPC endpoint gave logs of a block it has not.')
    return header.timeS
  }
  for (const log of found) {
    const event = decode(log)
    if (event == null) continue
    for (const { key, value } of projectEvents({ get: at => rows.get(at) }, [event], await timeOf(log.blockNumber))) {
      if (value == null) rows.delete(key)
      else rows.set(key, value)
    }
  }
  return createChainView({ get: key => rows.get(key) }, { blockNumber: toBlock, blockTimeS: await timeOf(toBlock) })
}
