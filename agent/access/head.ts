/** The newest entry of a record at the agent's node, asked for by whoever may read it (docs/specs/data-access.md). */
import { peerIdFromString } from '@libp2p/peer-id'
import { readMasterHead, type AsOf } from '#core/agent/freshness.ts'
import { signReadRequest } from '#core/grant/read-request.ts'
import type { AgentComponents } from '#agent/components.ts'
import type { Asker } from '#agent/record/source.ts'

/** How long to wait for one that comes after a position. */
export interface HeadWait {
  readonly after?: number
  readonly waitMs?: number
}

/**
 * Asks for the head: signs with the keys, then waits without them, so that a vault can be shut meanwhile. Called outside of
 * `keeper.hold`, or where waiting is short.
 *
 * @throws SalusError `AGENT_LOCKED`, `HEAD_SIGNATURE`, `ENTRY_*` of a head that is of another record, and what the node refuses the
 * question with
 */
export async function askHead(
  { p, random, clock, node, keeper }: AgentComponents,
  asker: () => Promise<Asker>,
  wait: HeadWait = {}
): Promise<AsOf | null> {
  const { peerId } = await node.status()
  const { authorization, about } = await keeper.hold(async () => {
    const { reader, patient, grant } = await asker()
    const { state, keys, evidence } = reader
    const of = { network: state.network, patient }
    const audience = peerIdFromString(peerId).toMultihash().bytes
    const request = { ...of, grant, audience, issuedAtMs: clock(), nonce: random(16) }
    return {
      authorization: signReadRequest(p, { ...request, author: keys.bundle.sign, evidence }, keys.signSeed),
      about: of
    }
  })
  return readMasterHead(p, await node.queryHead({ authorization, ...wait }), about)
}
