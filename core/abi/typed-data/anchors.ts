/** Type tables of the requests to `BatchAnchors` (docs/specs/contracts.md). */
import { typeTable, type TypedDataTypes } from '#core/abi/typed-data/domain.ts'

/** `BatchAnchors.register` */
export const gatewayRegistrationTypes: TypedDataTypes = typeTable('GatewayRegistration', [
  'bytes32 gateway',
  'bytes signer',
  'bytes32 certificate',
  'uint256 deadline'
])

/** `BatchAnchors.anchor` */
export const anchorTypes: TypedDataTypes = typeTable('Anchor', [
  'bytes32 gateway',
  'uint64 sequence',
  'uint64 treeSize',
  'bytes32 root',
  'uint256 deadline'
])
