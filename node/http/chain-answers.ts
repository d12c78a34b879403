/** What the chain says, in the HTTP API's words. */
import type { Hex } from '#core/chain/events.ts'
import type { ChainView, GrantOnChain } from '#core/chain/view.ts'
import { toHex } from '#core/encoding/bytes.ts'
import { SalusError } from '#core/error.ts'
import { NO_EXPIRY, RIGHT_HISTORY, RIGHT_READ, RIGHT_WRITE, UNLIMITED_USES, unpackTerms } from '#core/grant/terms.ts'
import type { GatewayAnswer, GrantAnswer, ModelAnswer } from '#node/http/wire.ts'

/** Most releases in one answer, the newest first. */
const MAX_RELEASES = 64

const RIGHTS = [
  ['read', RIGHT_READ],
  ['write', RIGHT_WRITE],
  ['history', RIGHT_HISTORY]
] as const

/** @throws SalusError `GRANT_UNKNOWN` */
export function answerGrant(view: ChainView, id: string): GrantAnswer {
  const grant = view.grant(id as Hex)
  if (grant == null)
    throw new SalusError('GRANT_UNKNOWN', 'The chain has no grant of this id, as far as this node knows.')
  const { grantee, notBefore, expiresAt, rights } = unpackTerms(grant.terms)
  return {
    grant: id,
    grantee: toHex(grantee),
    notBeforeS: notBefore,
    expiresAtS: expiresAt === NO_EXPIRY ? null : expiresAt,
    rights: RIGHTS.filter(([, bit]) => (rights & bit) !== 0).map(([name]) => name),
    usesLeft: grant.usesLeft === UNLIMITED_USES ? null : grant.usesLeft,
    state: stateOf(grant, view.blockTimeS)
  }
}

function stateOf(grant: GrantOnChain, nowS: number): GrantAnswer['state'] {
  const { notBefore, expiresAt } = unpackTerms(grant.terms)
  if (grant.revokedAtS != null) return 'revoked'
  if (grant.usesLeft === 0) return 'spent'
  if (nowS < notBefore) return 'not-yet'
  return nowS >= expiresAt ? 'expired' : 'live'
}

/** @throws SalusError `GATEWAY_UNKNOWN` */
export function answerGateway(view: ChainView, id: string): GatewayAnswer {
  const gateway = view.gateway(id as Hex)
  if (gateway == null)
    throw new SalusError('GATEWAY_UNKNOWN', 'The chain has no gateway of this id, as far as this node knows.')
  const { certificate, sequence, treeSize, root, isRetired } = gateway
  return { gateway: id, certificate, sequence, treeSize, root, isRetired }
}

/** @throws SalusError `MODEL_UNKNOWN` */
export function answerModel(view: ChainView, id: string): ModelAnswer {
  const model = view.model(id as Hex)
  if (model == null)
    throw new SalusError('MODEL_UNKNOWN', 'The chain has no model of this id, as far as this node knows.')
  const { manufacturer, latest, active, staged, rolloutBps, minimum } = model
  const releases: ModelAnswer['releases'] = []
  for (let sequence = latest; sequence > 0 && releases.length < MAX_RELEASES; sequence--) {
    const release = view.release(id as Hex, sequence)
    if (release == null) continue
    const { securityCounter, sizeBytes, imageSha256, manifestDigest, heldUntilS } = release
    const yanked = release.yanked || view.isWithdrawn(id as Hex, imageSha256)
    const held = heldUntilS > view.blockTimeS
    releases.push({ sequence, securityCounter, sizeBytes, imageSha256, manifestDigest, held, yanked })
  }
  return { model: id, manufacturer, latest, active, staged, rolloutBps, minimum, releases }
}
