/**
 * Addresses that are the same on every chain: contracts are made by the well-known deterministic deployment proxy, whose own
 * address follows from a transaction that was signed once, for every chain, by a key that nobody has.
 */
import { concat, getCreate2Address, id, keccak256, Transaction, type Provider, type Signer } from 'ethers'
import { SalusError } from '#core/error.ts'

/** Where the proxy is on every chain that has it. It takes a salt and creation code, and calls CREATE2. */
export const PROXY = '0x4e59b44847b379578588920cA78FbF26c0B4956C'

/** Name of the network that is meant where none is named. */
export const DEFAULT_NETWORK = 'salus/1'

/** keccak-256 of the proxy's code, 69 bytes. */
const PROXY_CODE_HASH = '0x2fa86add0aed31f33a762c9d88e807c475bd51d0f52bd0955754b2608f7e4989'

/** The transaction that makes it: without a chain id, its signature chosen and not made. 100,000 gas at 100 gwei. */
const PROXY_TRANSACTION = Transaction.from(
  concat([
    '0xf8a58085174876e800830186a08080b853604580600e600039806000f350fe',
    '0x7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffe0',
    '0x3601600081602082378035828234f58015156039578182fd5b8082525050506014600cf31b',
    `0xa0${'22'.repeat(32)}a0${'22'.repeat(32)}`
  ])
)
/** What the sender of that transaction must have: its limit of gas at its price, 0.01 of the chain's coin. */
export const PROXY_COST_WEI: bigint = PROXY_TRANSACTION.gasLimit * (PROXY_TRANSACTION.gasPrice ?? 0n)
const CONFIRM_TIMEOUT_MS = 120_000

/** Address of the contract that this code of creation makes in a network. */
export function addressIn(network: string, creationCode: string): string {
  return getCreate2Address(PROXY, id(network), keccak256(creationCode))
}

/** The transaction that makes it; anybody may send it, to the same effect. */
export function creationCall(network: string, creationCode: string): { readonly to: string; readonly data: string } {
  return { to: PROXY, data: concat([id(network), creationCode]) }
}

/** Whether the chain has the proxy. */
export async function hasProxy(provider: Provider): Promise<boolean> {
  return keccak256(await provider.getCode(PROXY)) === PROXY_CODE_HASH
}

/**
 * Puts the proxy on the chain unless it is there; costs 0.01 of the chain's coin.
 *
 * @throws SalusError `DEPLOY_NO_PROXY` if the chain does not take the transaction
 */
export async function ensureProxy(provider: Provider, signer: Signer): Promise<void> {
  if (await hasProxy(provider)) return
  const { from, serialized } = PROXY_TRANSACTION
  try {
    const value = PROXY_COST_WEI - (await provider.getBalance(from ?? ''))
    if (value > 0n) await (await signer.sendTransaction({ to: from, value })).wait(1, CONFIRM_TIMEOUT_MS)
    await (await provider.broadcastTransaction(serialized)).wait(1, CONFIRM_TIMEOUT_MS)
  } catch (cause) {
    throw noProxy(cause)
  }
  if (!(await hasProxy(provider))) throw noProxy()
}

function noProxy(cause?: unknown): SalusError {
  return new SalusError(
    'DEPLOY_NO_PROXY',
    `The chain has no deterministic deployment proxy at ${PROXY} and does not take the transaction that makes it (signed without a chain id, at 100 gwei). Fund the account, or ask the chain's operators to put the proxy there, then deploy again.`,
    { cause }
  )
}
