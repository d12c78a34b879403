/** A custodian: keeps shares sealed to it, and hands each on once the chain says so and a receipt is on the disk (docs/specs/custody.md). */
import type { Deployment } from '#core/chain/deployment.ts'
import { networkIdOfDeployment } from '#core/chain/deployment.ts'
import type { ChainView } from '#core/chain/view.ts'
import type { Clock, Primitives, Random } from '#core/crypto/primitives.ts'
import { signConfirmation } from '#core/custody/confirmation.ts'
import type { DecodedSharePlan } from '#core/custody/plan.ts'
import { sealRelease } from '#core/custody/release.ts'
import { decodeCustodyRequest, encodeCustodyAnswer } from '#core/custody/release-request.ts'
import { judgeRelease, type Recipient } from '#core/custody/release-rules.ts'
import { decodeSealedShare, openShare, type SealedShare } from '#core/custody/sealed-share.ts'
import { equalBytes, toHex } from '#core/encoding/bytes.ts'
import { SalusError } from '#core/error.ts'
import { preferredKemKey } from '#core/grant/capsule.ts'
import { decodeReadRequest, type ReadRequest } from '#core/grant/read-request.ts'
import { unpackTerms } from '#core/grant/terms.ts'
import type { AgentKeys } from '#core/identity/agent-keys.ts'
import { decodeKeyBundle, keyBundleDigest } from '#core/identity/key-bundle.ts'
import { sealReceipt } from '#core/receipts/receipt.ts'
import type { RequestGate } from '#node/assembly/request-gate.ts'
import type { ReceiptLog } from '#node/custody/receipt-log.ts'
import type { KeptShare, ShareStore } from '#node/custody/share-store.ts'
import type { SyncWriter } from '#node/store/sync-writer.ts'

/** What a custodian stands on. */
export interface CustodianComponents {
  readonly p: Primitives
  readonly random: Random
  readonly clock: Clock
  readonly deployment: Deployment
  readonly chain: () => ChainView
  readonly keys: AgentKeys
  readonly gate: RequestGate
  readonly store: ShareStore
  readonly receipts: ReceiptLog
  readonly writer: SyncWriter
}

/** What it may be told. */
export interface CustodianInit {
  /** Age from which a claim's block counts as final, seconds of the chain's time. */
  readonly finalityS: number
  /** Encoded key bundle of the auditor who can read every receipt, if there is one. */
  readonly auditor?: Uint8Array
  /** Shares and tombstones of one patient, 1,024 unless told. */
  readonly maxPerPatient?: number
}

/** A custodian. */
export interface Custodian {
  /**
   * Keeps a share durably.
   *
   * @returns a signed confirmation
   * @throws SalusError `SEALED_SHARE_*`, `SHARE_PLAN_*`, `SHARE_WRONG`, `HPKE_OPEN`; `SHARE_RULE` (nodes do not keep such shares),
   * `PATIENT_UNKNOWN`, `PATIENT_KEYS` (another key bundle than the chain's), `CUSTODY_GRANT` (the grant is not the patient's, or
   * not a one-time one), `CUSTODY_REVISION` (as new or newer was kept), `CUSTODY_FULL`, `STORE_*`
   */
  keep(bytes: Uint8Array): Promise<Uint8Array>
  /**
   * Hands a share on, after the receipt is on the disk.
   *
   * @returns an encoded answer (core/custody/release-request.ts)
   * @throws SalusError `CUSTODY_REQUEST_*`, `READ_REQUEST_*`, `READ_STALE`, `READ_REPLAYED`, `READ_BUSY`; `CUSTODY_UNKNOWN`, `CUSTODY_GONE`,
   * `CUSTODY_SPENT` (somebody else has it), the codes of `judgeRelease`, `STORE_*`
   */
  release(bytes: Uint8Array): Promise<Uint8Array>
}

/** Makes a custodian. */
export function createCustodian(components: CustodianComponents, init: CustodianInit): Custodian {
  const { p, random, clock, deployment, chain, keys, gate, store, receipts, writer } = components
  const network = networkIdOfDeployment(deployment)
  const { maxPerPatient = 1_024 } = init

  /** The plan is of a patient by its present keys; a one-time share is of a one-time grant, once the chain knows it. */
  function checkPlan(plan: DecodedSharePlan): void {
    if (plan.rule !== 'claim' && plan.rule !== 'glass') {
      throw new SalusError('SHARE_RULE', 'Refused: a custodian keeps shares of one-time grants and for emergencies.')
    }
    const record = chain().patient(toHex(plan.patient))
    if (record == null) throw new SalusError('PATIENT_UNKNOWN', 'This node does not know the patient; try again soon.')
    if (record.keyBundle !== toHex(keyBundleDigest(plan.bundle))) {
      throw new SalusError('PATIENT_KEYS', 'Refused: the chain has another key bundle of this patient.')
    }
    const grant = plan.subject == null ? undefined : chain().grant(toHex(plan.subject))
    if (grant != null && (grant.patient !== toHex(plan.patient) || unpackTerms(grant.terms).uses !== 1)) {
      throw new SalusError('CUSTODY_GRANT', 'Refused: this is no one-time grant of this patient.')
    }
  }

  async function keep(bytes: Uint8Array): Promise<Uint8Array> {
    const sealed = decodeSealedShare(bytes, { network })
    const { plan } = sealed
    checkPlan(plan)
    await openShare(p, sealed, keys)
    const key = store.keyOf(plan)
    const share: KeptShare = {
      revision: plan.revision,
      plan: p.sha256(plan.bytes),
      sealed: bytes,
      releasedTo: null,
      end: null
    }
    await writer.write(async changes => {
      const kept = await store.get(key, changes)
      if (kept == null && (await store.countOf(plan.patient, changes)) >= maxPerPatient) {
        throw new SalusError('CUSTODY_FULL', 'This custodian keeps enough shares of this patient; choose another one.')
      }
      if (isAgain(kept, share)) return
      if (kept != null && (kept.revision >= share.revision || plan.rule === 'claim')) {
        throw new SalusError('CUSTODY_REVISION', 'Refused: this custodian had a share for this already.')
      }
      changes.push(store.put(key, share))
    })
    return signConfirmation(p, sealed, clock(), keys)
  }

  /** To whom the share of a plan goes; the clock that is ahead counts, so that what expires does while the chain is away. */
  function judge(plan: DecodedSharePlan, request: ReadRequest, nowMs: number): Recipient {
    const view = chain()
    const nowS = Math.max(view.blockTimeS, Math.floor(nowMs / 1000))
    return judgeRelease(plan, request, { deployment, chain: view, nowS, finalityS: init.finalityS })
  }

  async function find(rule: 'claim' | 'glass', request: ReadRequest): Promise<{ key: string; sealed: SealedShare }> {
    const { patient, grant } = request
    const key = store.keyOf({ patient, rule, subject: rule === 'claim' ? grant : null })
    const kept = await store.get(key)
    if (kept == null) throw new SalusError('CUSTODY_UNKNOWN', 'This custodian keeps no share for this request.')
    if (kept.sealed == null) throw new SalusError('CUSTODY_GONE', 'The share was deleted: its time is over.')
    return { key, sealed: decodeSealedShare(kept.sealed, { network }) }
  }

  async function release(bytes: Uint8Array): Promise<Uint8Array> {
    const { rule, authorization } = decodeCustodyRequest(bytes)
    // Looked up before the gate, which judges without waiting; who asks is checked there.
    const { key, sealed } = await find(rule, decodeReadRequest(authorization, { network }).request)
    const { plan, index } = sealed
    const { request, judged } = gate.pass(authorization, (each, nowMs) => judge(plan, each, nowMs))
    const { share } = await openShare(p, sealed, keys)
    const digest = p.sha256(authorization)
    const receipt = await sealReceipt(p, random, {
      network,
      content: {
        kind: 'share',
        patient: plan.patient,
        subject: request.grant,
        rule,
        reader: request.author,
        address: judged.address,
        request: digest,
        atMs: clock()
      },
      bundles: init.auditor == null ? [plan.bundle] : [plan.bundle, init.auditor]
    })
    const number = await receipts.append(receipt, async (changes, group) => {
      const kept = await store.get(key, group)
      if (kept?.sealed == null) throw new SalusError('CUSTODY_GONE', 'The share was deleted: its time is over.')
      if (rule === 'glass') return
      const { releasedTo } = kept
      if (releasedTo != null && !equalBytes(releasedTo, request.author)) {
        throw new SalusError('CUSTODY_SPENT', 'Refused: this share was released to somebody else.')
      }
      changes.push(store.put(key, { ...kept, releasedTo: request.author }))
    })
    // The receipt is on the disk: from here on the share may leave.
    const answer = await sealRelease(p, random, {
      header: { plan: p.sha256(plan.bytes), index, request: digest, receipt: number },
      share,
      to: preferredKemKey(decodeKeyBundle(judged.bundle)),
      keeper: keys
    })
    return encodeCustodyAnswer({ plan: plan.bytes, release: answer })
  }

  return { keep, release }
}

/** The same share once more: whoever sent it did not hear that it is kept. */
function isAgain(kept: KeptShare | undefined, share: KeptShare): boolean {
  return kept?.sealed != null && equalBytes(kept.plan, share.plan)
}
