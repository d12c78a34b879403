/**
 * Cosignatures: a witness states that a checkpoint continues all that it saw of the log, at a time (docs/specs/cosignature.md).
 *
 * @see https://c2sp.org/tlog-cosignature
 */
import type { Primitives } from '#core/crypto/primitives.ts'
import { concat, utf8 } from '#core/encoding/bytes.ts'
import { SalusError } from '#core/error.ts'
import { noteKeyId, signatureLine, signaturesBy, type Note, type NoteKey } from '#core/tlog/signed-note.ts'

const COSIGNATURE = 4
const TIME_BYTES = 8

/** A witness as its clients know it. */
export interface WitnessKey {
  readonly name: string
  /** Ed25519, 32 bytes; used for nothing else. */
  readonly publicKey: Uint8Array
}

/** A cosignature that was checked. */
export interface Cosigned {
  readonly name: string
  /** Seconds since 1970, by the witness's clock. */
  readonly timeS: number
}

/** The key as notes name it. */
export function witnessNoteKey({ name, publicKey }: WitnessKey): NoteKey {
  return { name, type: COSIGNATURE, publicKey }
}

function messageOf(text: string, timeS: number): Uint8Array {
  return utf8(`cosignature/v1\ntime ${String(timeS)}\n${text}`)
}

/**
 * The line by which a witness cosigns the text of a checkpoint, with its newline. Whether it may is decided in witness.ts.
 *
 * @param timeS - seconds since 1970
 */
export function cosign(
  p: Primitives,
  text: string,
  timeS: number,
  { name, signSeed }: { readonly name: string; readonly signSeed: Uint8Array }
): string {
  const time = new Uint8Array(TIME_BYTES)
  new DataView(time.buffer).setBigUint64(0, BigInt(timeS))
  const id = noteKeyId(p, witnessNoteKey({ name, publicKey: p.ed25519PublicKey(signSeed) }))
  return signatureLine(name, id, concat(time, p.ed25519Sign(signSeed, messageOf(text, timeS))))
}

/**
 * The cosignature of a witness on a note, or `undefined` if it has none.
 *
 * @throws SalusError `COSIGNATURE_FORGED` if one names the witness's key and is not by it
 */
export function readCosignature(p: Primitives, note: Note, witness: WitnessKey): Cosigned | undefined {
  let newest: Cosigned | undefined
  for (const { bytes } of signaturesBy(p, note, witnessNoteKey(witness))) {
    const time = bytes.length === TIME_BYTES + 64 ? new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0) : 0n
    const timeS = time <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(time) : 0
    const isValid =
      timeS > 0 && p.ed25519Verify(witness.publicKey, messageOf(note.text, timeS), bytes.subarray(TIME_BYTES))
    if (!isValid) throw new SalusError('COSIGNATURE_FORGED', 'Refused: a witness did not cosign this checkpoint.')
    if (newest == null || timeS > newest.timeS) newest = { name: witness.name, timeS }
  }
  return newest
}

/**
 * Holds a note to be cosigned by at least `quorum` of the witnesses that the verifier trusts.
 *
 * @returns those that did
 * @throws SalusError `COSIGNATURE_FORGED`; `COSIGNATURE_QUORUM` if they are fewer
 */
export function requireQuorum(
  p: Primitives,
  note: Note,
  witnesses: readonly WitnessKey[],
  quorum: number
): readonly Cosigned[] {
  const cosigned = witnesses.flatMap(witness => readCosignature(p, note, witness) ?? [])
  if (cosigned.length < quorum) {
    throw new SalusError('COSIGNATURE_QUORUM', 'Refused: too few of the witnesses you trust cosigned the checkpoint.')
  }
  return cosigned
}
