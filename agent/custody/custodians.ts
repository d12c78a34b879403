/** Meeting custodians: who they are by their own cards, and what they keep by their own word. */
import type { OutgoingShare } from '#core/agent/agent-state.ts'
import type { Primitives } from '#core/crypto/primitives.ts'
import { readConfirmation } from '#core/custody/confirmation.ts'
import { readCustodianCard, type CustodianCard } from '#core/custody/custodian-card.ts'
import { decodeSealedShare } from '#core/custody/sealed-share.ts'
import { toHex } from '#core/encoding/bytes.ts'
import { SalusError } from '#core/error.ts'
import { MAX_ANSWER_CUSTODIANS } from '#core/grant/answer-code.ts'
import { decodeKeyBundle } from '#core/identity/key-bundle.ts'
import { createCustodyClient, type CustodyClient } from '#node/http/client-custody.ts'

/** A custodian at its address. */
export interface Custodian {
  readonly url: string
  readonly card: CustodianCard
  readonly client: CustodyClient
}

const TIMEOUT_MS = 20_000

/**
 * Asks an address for its card.
 *
 * @throws SalusError `CUSTODIAN_CARD_*`, `KEY_BUNDLE_*`, `NODE_UNREACHABLE`, `NODE_TIMEOUT`, what the node answers where it is none
 */
export async function meetCustodian(p: Primitives, url: string, network: Uint8Array): Promise<Custodian> {
  const client = createCustodyClient({ url, timeoutMs: TIMEOUT_MS })
  return { url, client, card: readCustodianCard(p, await client.card(), network) }
}

/**
 * Asks all for their cards.
 *
 * @throws SalusError `CUSTODIANS_CHOICE` (fewer than two, too many, or one of them twice), and as {@link meetCustodian}
 */
export async function meetCustodians(
  p: Primitives,
  urls: readonly string[],
  network: Uint8Array
): Promise<Custodian[]> {
  const custodians = await Promise.all(urls.map(async url => meetCustodian(p, url, network)))
  const peers = new Set(custodians.map(({ card }) => toHex(card.peer)))
  if (urls.length < 2 || urls.length > MAX_ANSWER_CUSTODIANS || peers.size < urls.length) {
    throw new SalusError(
      'CUSTODIANS_CHOICE',
      'Name two to sixteen custodians, each once: no node alone may hold a key.'
    )
  }
  return custodians
}

/**
 * Hands a share to its custodian, which confirms that it is on its disk. Handing it in again changes nothing.
 *
 * @throws SalusError `SHARE_CONFIRMATION_*`, and what the custodian refuses it with
 */
export async function deliverShare(p: Primitives, { custodian, keeper, sealed }: OutgoingShare): Promise<void> {
  const { plan, index } = decodeSealedShare(sealed)
  const confirmation = await createCustodyClient({ url: custodian, timeoutMs: TIMEOUT_MS }).keep(sealed)
  readConfirmation(p, confirmation, { planBytes: plan.bytes, index, keeper })
}

/** The shares of a plan on their way to these custodians, in their order. */
export function outgoing(custodians: readonly Custodian[], shares: readonly Uint8Array[]): OutgoingShare[] {
  return custodians.flatMap(({ url, card }, i) => {
    const sealed = shares[i]
    return sealed == null ? [] : [{ custodian: url, keeper: decodeKeyBundle(card.bundle).sign, sealed }]
  })
}
