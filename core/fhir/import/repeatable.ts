import type { Primitives, Random } from '#core/crypto/primitives.ts'
import { concat, utf8 } from '#core/encoding/bytes.ts'
import { encodeCanonical } from '#core/encoding/canonical.ts'
import type { PlannedPart } from '#core/fhir/import/planned-entry.ts'

const LABEL = utf8('salus/import-ids/1')

/**
 * Ids that are the same whenever the same thing is imported, and as good as random for whoever does not know the seed: an import
 * that broke off is repeated without doubling what it had written.
 *
 * @param seed - 32 secret bytes of the record
 * @param what - tells this import from others, for example the digest of a file
 */
export function repeatableIds(p: Primitives, seed: Uint8Array, what: Uint8Array): Random {
  const key = p.hkdfSha256(seed, LABEL, what, 32)
  let drawn = 0
  return length => {
    const out = p.hkdfSha256(key, LABEL, encodeCanonical(drawn), length)
    drawn++
    return out
  }
}

/**
 * The entry that holds all states of one resource of one server, as its revisions.
 *
 * @param server - base address of the server
 * @param name - `Type/id` there
 */
export function entryOfResource(p: Primitives, seed: Uint8Array, server: string, name: string): Uint8Array {
  const key = p.hkdfSha256(seed, LABEL, utf8('resource'), 32)
  return p.hmacSha256(key, concat(utf8(server), Uint8Array.of(0), utf8(name))).slice(0, 16)
}

/**
 * The entry that holds a part of an attachment, the same whenever the same bytes are to lie in the same place: a resource that a
 * server gives again has the same body again.
 */
export function entryOfPart(
  p: Primitives,
  seed: Uint8Array,
  { compartment, day, type, body }: PlannedPart
): Uint8Array {
  const key = p.hkdfSha256(seed, LABEL, utf8('part'), 32)
  return p.hmacSha256(key, concat(encodeCanonical([compartment, day, type]), p.sha256(body))).slice(0, 16)
}
