import { concat, parseEther } from 'ethers'
import { network } from 'hardhat'
import type { ChainBackend } from '#test/contracts/backends/backend.ts'
import { MEASURES_COVERAGE, deployInstrumented } from '#test/contracts/instrumented.ts'

/** Hardhat's chain, in this process. */
export async function openEdr(): Promise<ChainBackend> {
  const connection = await network.create()
  const { ethers, networkHelpers } = connection
  const [signer] = await ethers.getSigners()
  if (signer == null) throw new Error('the chain has no account to submit with')
  return {
    provider: ethers.provider,
    signer,
    now: () => networkHelpers.time.latest(),
    moveTo: time => networkHelpers.time.increaseTo(time),
    makeBlocks: count => networkHelpers.mine(count),
    delegate: (account, to) => networkHelpers.setCode(account.address, concat(['0xef0100', to])),
    fund: address => networkHelpers.setBalance(address, parseEther('1')),
    snapshot: async () => {
      const snapshot = await networkHelpers.takeSnapshot()
      return () => snapshot.restore()
    },
    ...(MEASURES_COVERAGE ? { deployInstrumented: () => deployInstrumented(ethers) } : {}),
    close: () => connection.close()
  }
}
