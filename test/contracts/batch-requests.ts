import { TypedDataEncoder } from 'ethers'
import { grantBatchTypes } from '#core/abi/typed-data/grants.ts'
import type { TestChain } from '#test/contracts/chain.ts'
import type { Key } from '#test/contracts/keys.ts'
import { grantIdOf, pack, type Sent, type Terms } from '#test/contracts/requests.ts'
import { treeOf } from '#test/contracts/tree.ts'

/** A grant of a batch. */
export interface BatchItem extends Terms {
  readonly scope: string
}

/** A signed batch, ready to be submitted once or again. */
export interface SignedBatch {
  readonly root: string
  readonly grantIds: readonly string[]
  submit(): Sent
  /** What a call about one grant of the batch takes, in the order of the method's parameters. */
  partOf(item: BatchItem): [patient: string, root: string, item: { terms: bigint; scope: string }, proof: string[]]
  /** Gives a grant a slot of its own. */
  open(item: BatchItem): Sent
}

/** The grants in the order that the contract demands. */
export function inOrder(items: readonly BatchItem[]): BatchItem[] {
  return [...items].sort((a, b) => (BigInt(a.scope) < BigInt(b.scope) ? -1 : 1))
}

/** Signs a batch, in the order given. */
export async function signBatch(
  chain: TestChain,
  key: Key,
  patient: string,
  items: readonly BatchItem[]
): Promise<SignedBatch> {
  const { grants } = chain.contracts
  const deadline = await chain.deadline()
  const epoch = await grants.epochOf(patient)
  const value = { patient, grants: items, epoch, deadline }
  const signature = await key.sign(chain.domainOf('AccessGrants'), grantBatchTypes, value)
  const leafOf = (item: BatchItem): string =>
    TypedDataEncoder.hashStruct('BatchGrant', { BatchGrant: grantBatchTypes['BatchGrant'] ?? [] }, item)
  const tree = treeOf(items.map(leafOf))
  const packed = items.map(item => ({ terms: pack(item), scope: item.scope }))
  const partOf: SignedBatch['partOf'] = item => [
    patient,
    tree.root,
    { terms: pack(item), scope: item.scope },
    tree.proofOf(leafOf(item))
  ]
  return {
    root: tree.root,
    grantIds: items.map(({ scope }) => grantIdOf(patient, scope)),
    submit: () => grants.grantBatch(patient, packed, deadline, key.signer, signature),
    partOf,
    open: item => grants.openFromBatch(...partOf(item))
  }
}
