import type { Log, Provider } from 'ethers'
import { pagesBackwards } from '#node/chain/log-pages.ts'

/**
 * All that a contract ever said, in the order of the chain.
 *
 * @param fromBlock - not later than its creation
 * @throws SalusError `CHAIN_UNREACHABLE`, `CHAIN_RPC_FAILED`
 */
export async function allLogs(provider: Provider, address: string, fromBlock: number): Promise<readonly Log[]> {
  const pages: (readonly Log[])[] = []
  const range = { fromBlock, toBlock: await provider.getBlockNumber() }
  const read = (from: number, to: number): Promise<Log[]> => provider.getLogs({ address, fromBlock: from, toBlock: to })
  for await (const page of pagesBackwards(read, range)) pages.push(page)
  return pages.reverse().flat()
}
