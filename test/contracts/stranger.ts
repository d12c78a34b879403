import { parseEther, type BaseContract, type Provider, type Signer } from 'ethers'
import { walletOf } from '#test/contracts/keys.ts'

/** The contract as an account with gas sees it to which governance has given nothing. */
export async function byStranger<C extends BaseContract>(provider: Provider, contract: C): Promise<C> {
  const stranger = walletOf('a stranger with gas').connect(provider)
  const funds = { to: stranger.address, value: parseEther('1') }
  await (contract.runner as Signer).sendTransaction(funds)
  return contract.connect(stranger) as C
}
