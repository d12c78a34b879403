/** Logs of a long range of blocks, newest first, in pages that the endpoint is willing to answer. */
import { isError } from 'ethers'
import { isSalusError } from '#core/error.ts'
import { rpcError } from '#node/chain/chain-rpc.ts'

/** Most blocks asked for at once. Public endpoints refuse more than some thousands. */
const PAGE_BLOCKS = 5_000

/**
 * Pages from the newest block down; a range that the endpoint refuses is halved, until it is one block.
 *
 * @param read - asks for the logs of a range of blocks, both ends included
 * @throws SalusError `CHAIN_UNREACHABLE`, `CHAIN_RPC_FAILED` if the endpoint is away or refuses a single block
 */
export async function* pagesBackwards<T>(
  read: (fromBlock: number, toBlock: number) => Promise<readonly T[]>,
  { fromBlock, toBlock }: { readonly fromBlock: number; readonly toBlock: number }
): AsyncGenerator<readonly T[]> {
  let blocks = PAGE_BLOCKS
  for (let to = toBlock; to >= fromBlock;) {
    const from = Math.max(fromBlock, to - blocks + 1)
    let page: readonly T[]
    try {
      page = await read(from, to)
    } catch (cause) {
      if (from === to || !isRefusal(cause)) throw rpcError(cause)
      blocks = Math.ceil((to - from + 1) / 2)
      continue
    }
    yield page
    to = from - 1
  }
}

/** Whether the endpoint answered, with an error of JSON-RPC or of HTTP; one that is away gains nothing from a smaller question. */
function isRefusal(cause: unknown): boolean {
  if (isError(cause, 'SERVER_ERROR')) return cause.response != null
  return isSalusError(cause, 'CHAIN_ANSWER_TOO_LARGE') || rpcError(cause).code === 'CHAIN_RPC_FAILED'
}
