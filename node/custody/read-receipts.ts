/** Receipts of entries that a node hands out with their slots (docs/specs/receipts.md). */
import type { Hex } from '#core/chain/events.ts'
import type { ChainView } from '#core/chain/view.ts'
import type { Clock, Primitives, Random } from '#core/crypto/primitives.ts'
import { fromHex, toHex } from '#core/encoding/bytes.ts'
import { SalusError } from '#core/error.ts'
import { decodeCapsule } from '#core/grant/capsule.ts'
import type { ReadRequest } from '#core/grant/read-request.ts'
import { unpackTerms } from '#core/grant/terms.ts'
import { decodeEvidence } from '#core/identity/evidence.ts'
import { keyBundleDigest } from '#core/identity/key-bundle.ts'
import { decodeMessage } from '#core/network/envelope.ts'
import { sealReceipt } from '#core/receipts/receipt.ts'
import type { AcceptIndex } from '#node/assembly/accept-index.ts'
import type { ReceiptLog } from '#node/custody/receipt-log.ts'
import type { MessageLog } from '#node/store/messages.ts'

/** What receipts of reads need. */
export interface ReadReceiptComponents {
  readonly p: Primitives
  readonly random: Random
  readonly clock: Clock
  readonly chain: () => ChainView
  readonly index: Pick<AcceptIndex, 'capsulePosition'>
  readonly messages: Pick<MessageLog, 'read' | 'byPatient'>
  readonly receipts: ReceiptLog
  /** Encoded key bundle of the auditor, if there is one. */
  readonly auditor?: Uint8Array | undefined
}

/**
 * Writes the receipt of an admitted read; it is on the disk when this resolves. What a patient reads of its own leaves none.
 *
 * @param authorization - the request as it came
 * @throws SalusError `RECEIPT_READER_UNKNOWN` where the node has no message that shows the patient's keys, and there is no auditor; `STORE_*`
 */
export type NoteRead = (request: ReadRequest, authorization: Uint8Array) => Promise<void>

/** Messages of a patient that are looked at for its key bundle. */
const MAX_MESSAGES = 256

/** Makes the writer of receipts of reads. */
export function createReadReceipts(components: ReadReceiptComponents): NoteRead {
  const { p, random, clock, chain, index, messages, receipts, auditor } = components

  /** The patient's present key bundle, out of what it signed: a capsule of the grant, or an entry of its own. */
  async function bundleOf({ network, patient, grant }: ReadRequest): Promise<Uint8Array | undefined> {
    const digest = chain().patient(toHex(patient))?.keyBundle
    const position = grant == null ? undefined : index.capsulePosition(toHex(grant))
    const records = [
      ...(position == null ? [] : await messages.read(position - 1, 1)),
      ...(await messages.byPatient(patient, 0, MAX_MESSAGES))
    ]
    for (const { bytes } of records) {
      const message = decodeMessage(bytes, network)
      const bundle =
        message.kind === 'capsule'
          ? decodeCapsule(message.capsule).bundle
          : message.kind === 'entry'
            ? decodeEvidence(message.evidence).bundle
            : undefined
      if (bundle != null && toHex(keyBundleDigest(bundle)) === digest) return bundle
    }
    return undefined
  }

  return async (request, authorization) => {
    const { network, patient, grant, author } = request
    if (grant == null) return
    const terms = chain().grant(toHex(grant))?.terms
    const responder = responderOf(chain(), toHex(grant))
    const bundles = [await bundleOf(request), auditor].filter(bundle => bundle != null)
    if (bundles.length === 0) {
      throw new SalusError(
        'RECEIPT_READER_UNKNOWN',
        'This node has no keys of the patient to write a receipt for; ask another.'
      )
    }
    const content = {
      kind: 'entries' as const,
      patient,
      subject: grant,
      rule: '',
      reader: author,
      address: terms == null ? responder : unpackTerms(terms).grantee,
      request: p.sha256(authorization),
      atMs: clock()
    }
    await receipts.append(await sealReceipt(p, random, { network, content, bundles }))
  }
}

/** Who declared an emergency; of two responders the reader's key alone says which. */
function responderOf(chain: ChainView, id: Hex): Uint8Array | null {
  const emergency = chain.emergency(id)
  if (emergency == null || BigInt(emergency.secondCredential) !== 0n) return null
  const holder = chain.credential(emergency.credential)?.holder
  return holder == null ? null : fromHex(holder, 20)
}
