/** Code and sentence of the errors of the registry of nodes, by the name of the contract's error. */
export const NODE_ERRORS: Readonly<Record<string, readonly [code: string, message: string]>> = {
  NodeIsRetired: [
    'CHAIN_NODE_IS_RETIRED',
    'The organisation took this peer off its list for ever; give the peer a new key.'
  ],
  NodeKeyMissing: ['CHAIN_NODE_KEY_MISSING', 'The listing names no peer.'],
  NodeOperatorNotAccredited: [
    'CHAIN_NODE_OPERATOR_NOT_ACCREDITED',
    'The organisation is not accredited, or suspended.'
  ],
  NodeProofMalformed: ['CHAIN_NODE_PROOF_MALFORMED', 'The peer’s signature does not have 64 bytes.'],
  NodeRevisionOutOfSequence: ['CHAIN_NODE_REVISION_OUT_OF_SEQUENCE', 'The change is not the next one of this peer.'],
  NodeUnknown: ['CHAIN_NODE_UNKNOWN', 'The organisation never listed this peer.'],
  NodeValidityInvalid: ['CHAIN_NODE_VALIDITY_INVALID', 'The listing must end in the future, 366 days ahead at most.']
}
