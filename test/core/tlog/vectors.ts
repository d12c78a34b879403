import { expect } from 'chai'
import { leafHash, verifyConsistency, verifyInclusion } from '#core/batch/merkle.ts'
import { utf8 } from '#core/encoding/bytes.ts'
import { fromBase64 } from '#core/tlog/base64.ts'
import { parseCheckpointNote, readCheckpoint } from '#core/tlog/checkpoint.ts'
import { readCosignature } from '#core/tlog/cosignature.ts'
import { decodeVerifierKey } from '#core/tlog/signed-note.ts'
import { nativePrimitives as p } from '#node/crypto/native.ts'

/** What scripts/interop/tlog/main.go writes: made by golang.org/x/mod and transparency-dev/formats. */
export interface TlogVectors {
  readonly logKey: string
  readonly witnessKey: string
  /** Signed and cosigned checkpoint of 70 leaves. */
  readonly note: string
  /** Root of the tree of 1, 2, … leaves; leaf n is the decimal text of n. */
  readonly roots: readonly string[]
  readonly proofs: readonly {
    readonly index: number
    readonly size: number
    readonly inclusion: readonly string[]
    readonly from: number
    readonly growth: readonly string[]
  }[]
}

const hashOf = (text: string | undefined): Uint8Array => fromBase64(text ?? '')!

/** Holds vectors to what is computed here. */
export function checkTlogVectors({ logKey, witnessKey, note, roots, proofs }: TlogVectors): void {
  const { name: origin, publicKey } = decodeVerifierKey(p, logKey)
  const { size, root } = readCheckpoint(p, note, { origin, publicKey })
  expect([size, root]).to.deep.equal([70, hashOf(roots[69])])
  expect(readCosignature(p, parseCheckpointNote(note), decodeVerifierKey(p, witnessKey))?.name).to.equal(
    'witness.example/go'
  )
  for (const { index, size: of, inclusion, from, growth } of proofs) {
    const leaf = leafHash(p, utf8(String(index)))
    const at = { root: hashOf(roots[of - 1]), size: of }
    expect(verifyInclusion(p, { leaf, index, path: inclusion.map(hashOf), ...at })).to.equal(true)
    const claim = { firstSize: from, firstRoot: hashOf(roots[from - 1]), path: growth.map(hashOf), ...at }
    expect(verifyConsistency(p, claim)).to.equal(true)
  }
}
