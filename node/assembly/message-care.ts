/** What a running node knows of its messages beside their checksums: their signatures, and peers that have them too. */
import type { Libp2p } from '@libp2p/interface'
import { anySignal } from 'any-signal'
import { networkIdOfDeployment, type Deployment } from '#core/chain/deployment.ts'
import type { Primitives } from '#core/crypto/primitives.ts'
import { equalBytes, toHex } from '#core/encoding/bytes.ts'
import { isSalusError } from '#core/error.ts'
import { judge, type AcceptView } from '#core/network/accept.ts'
import { decodeMessage, type Message } from '#core/network/envelope.ts'
import { messageId } from '#core/network/message-id.ts'
import type { Acceptor } from '#node/assembly/acceptor.ts'
import type { Follower } from '#node/chain/follower.ts'
import type { Bans } from '#node/network/bans.ts'
import type { MessageIds } from '#node/network/message-ids.ts'
import { askSync } from '#node/network/sync-peer.ts'
import type { MessageLog } from '#node/store/messages.ts'
import type { MessageCare } from '#node/store/scrub-messages.ts'

/** What it needs. */
export interface MessageCareComponents {
  readonly p: Primitives
  readonly deployment: Deployment
  readonly follower: Pick<Follower, 'view'>
  readonly messages: MessageLog
  readonly acceptor: Pick<Acceptor, 'reindex'>
  readonly ids: MessageIds
  readonly libp2p: Libp2p
  readonly bans: Bans
}

/** Peers that are asked for one message. */
const MAX_ASKED = 8
const ASK_MS = 10_000

/** A message that is here already excludes none, least of all itself. */
const NOTHING: AcceptView = {
  revisionOf: () => undefined,
  retiredDay: () => undefined,
  capsuleRevision: () => 0,
  isErased: () => false,
  hasRotation: () => false
}

/** Makes it. */
export function createMessageCare(components: MessageCareComponents): MessageCare {
  const { p, deployment, follower, messages, acceptor, ids, libp2p, bans } = components
  const network = networkIdOfDeployment(deployment)

  /** The id of the message that was written at a position, whatever is there now. */
  async function idAt(position: number): Promise<Uint8Array | undefined> {
    await ids.catchUp()
    const [row] = await ids.after(position - 1, 1)
    return row?.position === position ? row.id : undefined
  }

  return {
    judge(bytes) {
      let message: Message
      try {
        message = decodeMessage(bytes, network)
      } catch (error) {
        if (isSalusError(error)) return 'bad'
        throw error
      }
      // As one out of a peer's log: it was taken long ago.
      const context = { p, deployment, chain: follower.view(), store: NOTHING, provenance: 'replicated' } as const
      const { verdict } = judge(message, context)
      return verdict === 'accept' ? 'good' : verdict === 'reject' ? 'bad' : 'unknown'
    },
    async fetch(position, isRight, signal) {
      const id = await idAt(position)
      if (id == null) return undefined
      for (const peer of libp2p.getPeers().slice(0, MAX_ASKED)) {
        signal.throwIfAborted()
        const limit = anySignal([signal, AbortSignal.timeout(ASK_MS)])
        try {
          const [copy] = await askSync({ libp2p, bans }, peer, network, limit).get([toHex(id).slice(2)])
          if (copy != null && equalBytes(messageId(decodeMessage(copy, network)), id) && isRight(copy)) return copy
        } catch {
          // Away, of another version, or with a damaged copy itself: the next one may have it.
        } finally {
          limit.clear()
        }
      }
      signal.throwIfAborted()
      return undefined
    },
    async mend(position, bytes) {
      const isThere = await messages.mend(position, bytes)
      // An index that was made while it was damaged lacks it.
      if (isThere) await acceptor.reindex({ position, bytes })
      return isThere
    }
  }
}
