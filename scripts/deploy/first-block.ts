import type { Provider } from 'ethers'

/**
 * A block before the first that has code at an address, found by halving.
 *
 * @returns 0 if the endpoint keeps no state of old blocks: right, but slow to follow from
 */
export async function blockBefore(provider: Provider, address: string): Promise<number> {
  let without = 0
  let withCode = await provider.getBlockNumber()
  try {
    while (withCode - without > 1) {
      const middle = Math.floor((without + withCode) / 2)
      if ((await provider.getCode(address, middle)) === '0x') without = middle
      else withCode = middle
    }
    return without
  } catch {
    return 0
  }
}
