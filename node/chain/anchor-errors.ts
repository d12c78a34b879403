/** Code and sentence of the errors of gateways, anchors and super-roots, by the name of the contract's error. */
export const ANCHOR_ERRORS: Readonly<Record<string, readonly [code: string, message: string]>> = {
  AnchorOutOfSequence: ['CHAIN_ANCHOR_OUT_OF_SEQUENCE', 'The anchor is not the next one of its gateway.'],
  AnchorRootMissing: ['CHAIN_ANCHOR_ROOT_MISSING', 'The anchor has no root.'],
  AnchorTreeShrank: ['CHAIN_ANCHOR_TREE_SHRANK', 'The anchor has fewer readings than the one before it.'],
  GatewayAlreadyRegistered: ['CHAIN_GATEWAY_ALREADY_REGISTERED', 'The gateway is registered with another certificate.'],
  GatewayCertificateMissing: ['CHAIN_GATEWAY_CERTIFICATE_MISSING', 'The gateway names no certificate.'],
  GatewayEnded: ['CHAIN_GATEWAY_ENDED', 'The signer handed the gateway on, or retired it; it signs for it no more.'],
  GatewaySignerUsed: [
    'CHAIN_GATEWAY_SIGNER_USED',
    'The new signer has signed for this gateway before; take a fresh key.'
  ],
  GatewayUnknown: ['CHAIN_GATEWAY_UNKNOWN', 'The signer has no such gateway; register it first.'],
  SuperRootEmpty: ['CHAIN_SUPER_ROOT_EMPTY', 'The super-root has no root, or stands for no gateway.'],
  SuperRootOutOfEpoch: ['CHAIN_SUPER_ROOT_OUT_OF_EPOCH', 'The super-root is not the next one of its aggregator.']
}
