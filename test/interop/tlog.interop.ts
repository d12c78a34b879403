/** With Go's note and tree libraries: SALUS_TEST_TLOG names the program of scripts/interop/tlog. */
import { spawnSync } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { expect } from 'chai'
import { parseCheckpointNote } from '#core/tlog/checkpoint.ts'
import { cosign, witnessNoteKey } from '#core/tlog/cosignature.ts'
import { encodeVerifierKey } from '#core/tlog/signed-note.ts'
import { noteKeyOf } from '#core/tlog/checkpoint.ts'
import { nativePrimitives as p } from '#node/crypto/native.ts'
import { checkpointOf, LOG, logOf, witnessOf } from '#test/core/tlog/fixtures.ts'
import { checkTlogVectors, type TlogVectors } from '#test/core/tlog/vectors.ts'

const TOOL = process.env['SALUS_TEST_TLOG'] ?? ''
const VECTORS = new URL('../vectors/tlog.json', import.meta.url)

function ask(args: readonly string[], input = ''): { status: number | null; output: string } {
  const { status, stdout } = spawnSync(TOOL, args, { input, encoding: 'utf8', timeout: 30_000 })
  return { status, output: stdout }
}

describe('logs in Go', () => {
  it('make notes, cosignatures and proofs that are read here, the committed ones among them', async () => {
    const made = JSON.parse(ask(['vectors']).output) as TlogVectors
    checkTlogVectors(made)
    const committed = JSON.parse(await readFile(VECTORS, 'utf8')) as TlogVectors
    expect(committed.roots).to.deep.equal(made.roots)
    expect(committed.proofs).to.deep.equal(made.proofs)
  })

  it('read a checkpoint that was signed and cosigned here, and refuse it once it is changed', () => {
    const witnesses = [0, 1].map(witnessOf)
    const note = witnesses.reduce(
      (text, witness) => text + cosign(p, parseCheckpointNote(text).text, 1_700_000_000, witness),
      checkpointOf(logOf(9))
    )
    const question = {
      logKey: encodeVerifierKey(p, noteKeyOf(LOG)),
      witnessKeys: witnesses.map(witness => encodeVerifierKey(p, witnessNoteKey(witness))),
      note
    }
    expect(ask([], JSON.stringify(question))).to.deep.equal({ status: 0, output: '3\n' })
    expect(ask([], JSON.stringify({ ...question, note: note.replace('\n9\n', '\n8\n') })).status).to.equal(1)
  })
})
