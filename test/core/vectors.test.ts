import { readFileSync } from 'node:fs'
import { expect } from 'chai'
import { portablePrimitives } from '#core/crypto/portable.ts'
import { readAttestation } from '#core/custody/attestation.ts'
import { decodeGlassRecord } from '#core/custody/break-glass.ts'
import { readCustodianCard } from '#core/custody/custodian-card.ts'
import { decodePackage } from '#core/custody/emergency-package.ts'
import { decodeErasure } from '#core/custody/erasure.ts'
import { decodeSharePlan } from '#core/custody/plan.ts'
import { decodeShareRelease } from '#core/custody/release.ts'
import { decodeSealedShare } from '#core/custody/sealed-share.ts'
import { fromHex } from '#core/encoding/bytes.ts'
import { decodeCanonical } from '#core/encoding/canonical.ts'
import type { Place } from '#core/encoding/place.ts'
import { decodeCapsule } from '#core/grant/capsule.ts'
import { decodeGrantDocument } from '#core/grant/document.ts'
import { decodeReadRequest } from '#core/grant/read-request.ts'
import { decodeRotation } from '#core/grant/rotation.ts'
import { decodeEvidence } from '#core/identity/evidence.ts'
import { decodeKeyBundle } from '#core/identity/key-bundle.ts'
import { decodeReceipt } from '#core/receipts/receipt.ts'
import { STATEMENT_TYPE, statementOf } from '#core/log/statement.ts'
import { openContent } from '#core/record/content.ts'
import { openDisclosure } from '#core/record/disclosure.ts'
import { decodeEntry } from '#core/record/entry.ts'
import { decodeSlot } from '#core/record/slot.ts'
import { custodyVectors } from '#scripts/vectors/custody-vectors.ts'
import { decodeBlindList } from '#core/search/blind-list.ts'
import { grantVectors } from '#scripts/vectors/grant-vectors.ts'
import { logVectors } from '#scripts/vectors/log-vectors.ts'
import { recordVectors } from '#scripts/vectors/record-vectors.ts'
import { NETWORK, PATIENT, type VectorFile } from '#scripts/vectors/vector-file.ts'
import { expectCode } from '#test/error-code.ts'

const PLACE = { network: NETWORK, patient: PATIENT }
const CONTENT_PLACE = { ...PLACE, entry: new Uint8Array(16), revision: 1, author: new Uint8Array(32) }

/** The decoder that a vector's code speaks of. */
const DECODERS: Readonly<Record<string, (bytes: Uint8Array, expected: Place) => unknown>> = {
  TEST: bytes => decodeCanonical(bytes, { area: 'TEST', maxBytes: 1000 }),
  KEY_BUNDLE: decodeKeyBundle,
  EVIDENCE: decodeEvidence,
  CONTENT: bytes => openContent(portablePrimitives, bytes, CONTENT_PLACE),
  ENTRY: decodeEntry,
  SLOT: decodeSlot,
  GRANT: decodeGrantDocument,
  CAPSULE: decodeCapsule,
  ROTATION: decodeRotation,
  READ_REQUEST: decodeReadRequest,
  SHARE_PLAN: decodeSharePlan,
  SEALED_SHARE: decodeSealedShare,
  SHARE_RELEASE: decodeShareRelease,
  CUSTODIAN_CARD: bytes => readCustodianCard(portablePrimitives, bytes, NETWORK),
  RECEIPT: decodeReceipt,
  ERASURE: decodeErasure,
  ATTESTATION: bytes => readAttestation(portablePrimitives, bytes),
  GLASS_RECORD: decodeGlassRecord,
  EMERGENCY_PACKAGE: decodePackage,
  DISCLOSURE: (bytes, expected) => openDisclosure(portablePrimitives, bytes, expected),
  STATEMENT: body => statementOf({ type: STATEMENT_TYPE, body }),
  BLIND_LIST: decodeBlindList
}

function committed(name: string): VectorFile {
  return JSON.parse(readFileSync(new URL(`../vectors/${name}.json`, import.meta.url), 'utf8')) as VectorFile
}

describe('the published vectors of records and grants', () => {
  let made: Record<string, VectorFile>

  before(async () => {
    made = {
      ...(await recordVectors(portablePrimitives)),
      ...(await grantVectors(portablePrimitives)),
      ...(await custodyVectors(portablePrimitives)),
      ...(await logVectors(portablePrimitives))
    }
  })

  it('are what the code makes', () => {
    for (const [name, vectors] of Object.entries(made)) expect(committed(name), name).to.deep.equal(vectors)
  })

  it('are refused, where bad, with the code they name', async () => {
    for (const name of Object.keys(made)) {
      for (const { bytes, code } of committed(name).invalid) {
        const area = Object.keys(DECODERS).find(each => code.startsWith(`${each}_`)) ?? ''
        await expectCode(code, () => DECODERS[area]?.(fromHex(bytes), PLACE))
      }
    }
  })
})
