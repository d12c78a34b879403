/** Type tables of the requests to `NodeRegistry` (docs/specs/contracts-nodes.md). */
import { typeTable, type TypedDataTypes } from '#core/abi/typed-data/domain.ts'

/** `NodeRegistry.list` */
export const nodeListingTypes: TypedDataTypes = typeTable('NodeListing', [
  'bytes32 organisation',
  'bytes32 peerKey',
  'uint64 pledgedBytes',
  'uint40 validUntil',
  'uint32 revision',
  'bytes nodeProof',
  'uint256 deadline'
])

/** `NodeRegistry.changePledge` */
export const nodePledgeTypes: TypedDataTypes = typeTable('NodePledge', [
  'bytes32 organisation',
  'bytes32 node',
  'uint64 pledgedBytes',
  'uint32 revision',
  'uint256 deadline'
])

/** `NodeRegistry.retire` */
export const nodeRetirementTypes: TypedDataTypes = typeTable('NodeRetirement', [
  'bytes32 organisation',
  'bytes32 node',
  'uint256 deadline'
])
