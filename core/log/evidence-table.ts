/** The evidence that a log's headers came with, each piece read once, however many headers it is of. */
import { readAuthorEvidence, type AuthorEvidence } from '#core/agent/author.ts'
import type { SigningTarget } from '#core/agent/chain-call.ts'
import type { Primitives } from '#core/crypto/primitives.ts'
import { toHex } from '#core/encoding/bytes.ts'
import { encodeEvidenceRow } from '#core/log/item.ts'

/** Where the log's rows go. Keys of evidence sort before those of headers: read them back in the order of keys. */
export interface LogRows {
  put(key: string, bytes: Uint8Array): void
  delete(key: string): void
}

/** Evidence by name: the SHA-256 of its bytes, hexadecimal. */
export interface EvidenceTable {
  nameOf(bytes: Uint8Array): string
  get(name: string): AuthorEvidence | undefined
  /**
   * Takes in evidence for one header more.
   *
   * @throws SalusError `EVIDENCE_*`, `KEY_BUNDLE_*`
   */
  use(name: string, bytes: Uint8Array): void
  /** One header of it is gone; without any it is forgotten. */
  release(name: string): void
  /** Takes in evidence that was read before. */
  restore(name: string, read: AuthorEvidence): void
  /** Counts one header more of evidence that was restored. */
  keep(name: string): void
}

/** A table without evidence, for the chain and contracts that bindings must be made for. */
export function createEvidenceTable(p: Primitives, target: SigningTarget, rows?: LogRows): EvidenceTable {
  const byName = new Map<string, { readonly read: AuthorEvidence; uses: number }>()
  return {
    nameOf: bytes => toHex(p.sha256(bytes)),
    get: name => byName.get(name)?.read,
    use(name, bytes) {
      const held = byName.get(name)
      if (held != null) {
        held.uses++
        return
      }
      const read = readAuthorEvidence(bytes, target)
      byName.set(name, { read, uses: 1 })
      rows?.put(`evidence/${name}`, encodeEvidenceRow(name, read))
    },
    release(name) {
      const held = byName.get(name)
      if (held == null || --held.uses > 0) return
      byName.delete(name)
      rows?.delete(`evidence/${name}`)
    },
    restore(name, read) {
      if (!byName.has(name)) byName.set(name, { read, uses: 0 })
    },
    keep(name) {
      const held = byName.get(name)
      if (held != null) held.uses++
    }
  }
}
