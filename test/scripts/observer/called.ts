import { Interface, type InterfaceAbi, type JsonRpcProvider } from 'ethers'
import { CONTRACT_NAMES, type ContractName } from '#core/chain/contract-names.ts'
import type { Deployment } from '#core/chain/deployment.ts'

/** Verifiers of signatures: they have one function, which changes nothing, and so no ABI in core/abi. */
const ONLY_VIEWS: readonly ContractName[] = ['ERC7913P256Verifier', 'ERC7913WebAuthnVerifier']

/** A call within a transaction, as geth's `callTracer` tells it. */
interface Frame {
  readonly to?: string
  readonly input: string
  readonly error?: string
  readonly calls?: readonly Frame[]
}

/** Every function of the deployed contracts that can change something, as `Contract.signature`, by address and selector. */
export async function stateChangingFunctions({ contracts }: Deployment): Promise<Map<string, string>> {
  const functions = new Map<string, string>()
  for (const name of CONTRACT_NAMES) {
    if (ONLY_VIEWS.includes(name)) continue
    const abi = Object.values((await import(`#core/abi/${name}.ts`)) as Record<string, InterfaceAbi>)[0]
    new Interface(abi ?? []).forEachFunction(each => {
      const key = keyOf(contracts[name].address, each.selector)
      if (!each.constant) functions.set(key, `${name}.${each.format('sighash')}`)
    })
  }
  return functions
}

/** What these transactions called with success, also contracts of each other, by address and selector. */
export async function calledFunctions(provider: JsonRpcProvider, hashes: readonly string[]): Promise<Set<string>> {
  const called = new Set<string>()
  const visit = ({ to, input, error, calls = [] }: Frame): void => {
    if (error != null) return
    if (to != null) called.add(keyOf(to, input.slice(0, 10)))
    calls.forEach(visit)
  }
  for (const hash of hashes)
    visit((await provider.send('debug_traceTransaction', [hash, { tracer: 'callTracer' }])) as Frame)
  return called
}

function keyOf(address: string, selector: string): string {
  return `${address.toLowerCase()} ${selector}`
}
