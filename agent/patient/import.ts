import { sealAsPatient } from '#core/agent/patient-entries.ts'
import { concat, toHex, utf8 } from '#core/encoding/bytes.ts'
import { encodeCanonical } from '#core/encoding/canonical.ts'
import type { Primitives } from '#core/crypto/primitives.ts'
import { dayOf } from '#core/record/day.ts'
import { ENTRY_ID_BYTES } from '#core/record/entry.ts'
import type { Accounts } from '#agent/accounts.ts'
import type { AgentComponents } from '#agent/components.ts'
import { packEntry } from '#agent/network/record.ts'
import { documentImporter, type ImportedEntry, type ImportedFile, type Importer } from '#agent/patient/importers.ts'
import type { Operations } from '#agent/patient/operations.ts'

/** What importing needs. */
export interface ImportComponents extends AgentComponents {
  readonly accounts: Accounts
  readonly operations: Operations
  /** Tried in order before a file is taken as a document. */
  readonly importers: readonly Importer[]
}

/** What an import has written. */
export interface ImportResult {
  /** Name of the importer that took the file. */
  readonly importer: string
  /** Ids of the entries. */
  readonly entries: readonly string[]
  /** How many a node has still to take; they are handed in by themselves. */
  readonly waiting: number
}

/**
 * Writes a file into the record. Every entry lies sealed in the outbox before the first is handed in. The same file again
 * becomes the same entries, so whoever is unsure whether an import went through repeats it.
 *
 * @param attributes - seals JSON so that single attributes of it can be granted
 * @param again - writes new entries even if the same file was imported before
 * @throws SalusError what the importer or sealing refuses it with
 */
export async function importFile(
  components: ImportComponents,
  file: ImportedFile,
  { again = false, attributes = false }: { readonly again?: boolean; readonly attributes?: boolean } = {}
): Promise<ImportResult> {
  const { p, random, clock, accounts, keeper, outbox, importers, operations } = components
  const importer = importers.find(each => each.takes(file)) ?? documentImporter
  const { account, keys, evidence } = await accounts.patient()
  const { state } = account
  const { deviceSeed } = keeper.state()
  const ids: string[] = []
  for await (const imported of importer.read(file)) {
    const entry = again ? random(ENTRY_ID_BYTES) : entryIdOf(p, state.seed, imported)
    const nowMs = clock()
    const { compartment, type, body, recordedAtMs = nowMs } = imported
    const content = { type, recordedAtMs, body }
    const sealed = sealAsPatient(
      p,
      random,
      { state, keys },
      {
        ...{ compartment, day: dayOf(nowMs), content, entry },
        attributes: attributes && /json/.test(type)
      }
    )
    await outbox.put(deviceSeed, packEntry(state.network, sealed, evidence))
    ids.push(toHex(entry))
  }
  return { importer: importer.name, entries: ids, waiting: await operations.resume() }
}

/** The same for the same content, and as good as random for whoever does not know the seed. */
function entryIdOf(p: Primitives, seed: Uint8Array, { compartment, type, body }: ImportedEntry): Uint8Array {
  const key = p.hkdfSha256(seed, utf8('salus/import/1'), utf8('entry'), 32)
  return p.hmacSha256(key, concat(encodeCanonical({ compartment, type }), p.sha256(body))).slice(0, ENTRY_ID_BYTES)
}
