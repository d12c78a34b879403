/** Type tables of the requests to `BatchAnchors` (docs/specs/contracts-anchors.md). */
import { typeTable, type TypedDataTypes } from '#core/abi/typed-data/domain.ts'

/** `BatchAnchors.register` */
export const gatewayRegistrationTypes: TypedDataTypes = typeTable('GatewayRegistration', [
  'bytes32 gateway',
  'bytes signer',
  'bytes32 certificate',
  'uint256 deadline'
])

/** `BatchAnchors.rotate`, signed by the present and the new signer */
export const gatewayRotationTypes: TypedDataTypes = typeTable('GatewayRotation', [
  'bytes32 gateway',
  'bytes newSigner',
  'bytes32 certificate',
  'uint256 deadline'
])

/** `BatchAnchors.retire` */
export const gatewayRetirementTypes: TypedDataTypes = typeTable('GatewayRetirement', [
  'bytes32 gateway',
  'uint256 deadline'
])

/** `BatchAnchors.anchor` */
export const anchorTypes: TypedDataTypes = typeTable('Anchor', [
  'bytes32 gateway',
  'uint32 sequence',
  'uint40 treeSize',
  'bytes32 root',
  'uint256 deadline'
])

/** `BatchAnchors.anchorGateways` */
export const superRootTypes: TypedDataTypes = typeTable('SuperRoot', [
  'address aggregator',
  'uint40 epoch',
  'uint32 count',
  'bytes32 root',
  'uint256 deadline'
])
