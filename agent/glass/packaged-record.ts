/** The entries of a package, as shares that were put together open them: all that is here without a network. */
import { openAsGrantee } from '#core/agent/grantee-entries.ts'
import type { GranteeState } from '#core/agent/grantee-state.ts'
import type { Primitives } from '#core/crypto/primitives.ts'
import type { Deployment } from '#core/chain/deployment.ts'
import { decodePackage } from '#core/custody/emergency-package.ts'
import { equalBytes, toHex } from '#core/encoding/bytes.ts'
import { isSalusError, SalusError } from '#core/error.ts'
import { statementOf } from '#core/log/statement.ts'
import { decodeEntry } from '#core/record/entry.ts'
import type { KeptPackage } from '#agent/glass/kept-packages.ts'
import type { OpenedRecordEntry, RecordIndex } from '#agent/record-index.ts'

/** Makes the record of a package. Which version of an entry stands, its patient's agent decided when it made the package. */
export function createPackagedRecord(
  { p, deployment }: { readonly p: Primitives; readonly deployment: Deployment },
  state: GranteeState,
  { patient, bytes, keyBundles, grants }: KeptPackage
): Pick<RecordIndex, 'list' | 'open'> {
  const record = { target: deployment, patient, keyBundles, grants }
  const entries: OpenedRecordEntry[] = []
  for (const sealed of decodePackage(bytes).entries) {
    try {
      const { header, cid } = decodeEntry(sealed.headerBytes, { network: state.network, patient })
      const { content: said, compartment, author } = openAsGrantee(p, state, sealed, record)
      const content = { ...said, ...statementOf(said)?.content }
      const summary = {
        ...{ compartment, author, type: content.type, recordedAtMs: content.recordedAtMs },
        ...{ bodyBytes: content.body.length, kind: content.type, act: 'state' as const, reason: '', about: null }
      }
      entries.push({ position: entries.length + 1, cid, header, place: 'stands', standing: null, summary, content })
    } catch (error) {
      // What does not open, or is not proven, is not shown: the package came from somebody's hands.
      if (!isSalusError(error)) throw error
    }
  }
  return {
    async list({ after, limit }) {
      const later = entries.filter(({ position }) => position > after)
      const page = later.slice(0, limit)
      return Promise.resolve({
        entries: page,
        next: later.length > limit ? (page.at(-1)?.position ?? null) : null
      })
    },
    async open(name) {
      const found = entries.find(({ header, cid }) => toHex(header.entry) === name || cid.toString() === name)
      if (found != null && equalBytes(found.header.patient, patient)) return Promise.resolve(found)
      throw new SalusError('ENTRY_UNKNOWN', 'There is no such entry that this agent knows.')
    }
  }
}
