import { expect } from 'chai'
import fc from 'fast-check'
import { leafHash } from '#core/batch/merkle.ts'
import { appendLeaf, createTree, rangeOf, rangeRoot, subtreeRoot } from '#core/batch/tree.ts'
import { concat, utf8 } from '#core/encoding/bytes.ts'
import { deriveAgentKeys, type AgentKeys } from '#core/identity/agent-keys.ts'
import { receiptLogOrigin } from '#core/receipts/origin.ts'
import { readCheckpoint, signCheckpoint, type LogKey } from '#core/tlog/checkpoint.ts'
import { collectReceipts, type LogSource } from '#core/receipts/collect.ts'
import { UNFOLLOWED, followLog } from '#core/receipts/follow.ts'
import {
  MAX_RECEIPT_BYTES,
  decodeReceipt,
  openReceipt,
  sealReceipt,
  type ReceiptContent
} from '#core/receipts/receipt.ts'
import { TILE_WIDTH, bundlesFrom, decodeBundle, encodeBundle, readTilePath, tilePath } from '#core/receipts/tiles.ts'
import { nativePrimitives as p } from '#node/crypto/native.ts'
import { osRandom } from '#scripts/story/people.ts'
import { itRefusesBadInput } from '#test/core/decoder-rules.ts'
import { NETWORK, PATIENT, keysOf } from '#test/core/people.ts'
import { expectCode } from '#test/error-code.ts'

const SEED = new Uint8Array(32).fill(3)
const publicKey = p.ed25519PublicKey(SEED)
const key: LogKey = { origin: receiptLogOrigin(NETWORK, publicKey), publicKey }

const CONTENT: ReceiptContent = {
  kind: 'share',
  patient: PATIENT,
  subject: new Uint8Array(32).fill(1),
  rule: 'claim',
  reader: new Uint8Array(32).fill(2),
  address: new Uint8Array(20).fill(3),
  request: new Uint8Array(32).fill(4),
  atMs: 1_795_000_000_000
}

/** A log in memory, as a node serves it. */
class PaperLog implements LogSource {
  entries: Uint8Array[]
  constructor(entries: readonly Uint8Array[]) {
    this.entries = [...entries]
  }
  range() {
    const tree = createTree()
    for (const entry of this.entries) appendLeaf(p, tree, leafHash(p, entry))
    return rangeOf(tree)
  }
  async checkpoint() {
    const root = rangeRoot(p, this.range())
    return Promise.resolve(signCheckpoint(p, { origin: key.origin, size: this.entries.length, root }, SEED))
  }
  async tile({ index, width }: { index: number; width: number }) {
    return Promise.resolve(encodeBundle(this.entries.slice(index * TILE_WIDTH, index * TILE_WIDTH + width)))
  }
}

describe('a receipt', () => {
  let patient: AgentKeys
  let auditor: AgentKeys
  let bytes: Uint8Array

  before(async () => {
    patient = await deriveAgentKeys(p, new Uint8Array(32).fill(1))
    auditor = await keysOf(2)
    const bundles = [patient.bundleBytes, auditor.bundleBytes]
    bytes = await sealReceipt(p, osRandom, { network: NETWORK, content: CONTENT, bundles })
  })

  it('opens for the patient and the auditor, and for nobody else', async () => {
    const receipt = decodeReceipt(bytes)
    expect(await openReceipt(p, receipt, patient)).to.deep.equal(CONTENT)
    expect(await openReceipt(p, receipt, auditor)).to.deep.equal(CONTENT)
    expect(await openReceipt(p, receipt, await keysOf(3))).to.equal(undefined)
  })

  it('shows nobody else whose it is', () => {
    for (const part of [
      PATIENT,
      CONTENT.subject!,
      CONTENT.reader,
      patient.bundle.sign,
      patient.bundle.kem[0]!.publicKey
    ]) {
      expect(Buffer.from(bytes).includes(Buffer.from(part))).to.equal(false)
    }
  })

  it('does not open once it is changed, and needs a reader', async () => {
    const receipt = decodeReceipt(bytes)
    expect(await openReceipt(p, { ...receipt, network: PATIENT }, auditor)).to.equal(undefined)
    const none = { network: NETWORK, content: CONTENT, bundles: [] }
    await expectCode('RECEIPT_READERS', async () => sealReceipt(p, osRandom, none))
  })

  itRefusesBadInput({ area: 'RECEIPT', maxBytes: MAX_RECEIPT_BYTES, valid: () => bytes, decode: decodeReceipt })
})

describe('a checkpoint', () => {
  const checkpoint = { origin: key.origin, size: 3, root: new Uint8Array(32).fill(9) }
  const note = signCheckpoint(p, checkpoint, SEED)

  it('is a signed note: the text, an empty line, a line with key id and signature', () => {
    expect(readCheckpoint(p, note, key)).to.deep.equal(checkpoint)
    const [origin, size, root, empty, line = '', end] = note.split('\n')
    expect([origin, size, root, empty, end]).to.deep.equal([
      key.origin,
      '3',
      Buffer.alloc(32, 9).toString('base64'),
      '',
      ''
    ])
    const [dash, name, signature = ''] = line.split(' ')
    expect([dash, name]).to.deep.equal(['—', key.origin])
    const raw = Buffer.from(signature, 'base64')
    const id = p.sha256(concat(utf8(`${key.origin}\n`), Uint8Array.of(1), publicKey)).subarray(0, 4)
    expect(raw.subarray(0, 4)).to.deep.equal(Buffer.from(id))
    expect(p.ed25519Verify(publicKey, utf8(`${[origin, size, root].join('\n')}\n`), raw.subarray(4))).to.equal(true)
  })

  it('is read with signatures of witnesses below, which are passed over', () => {
    expect(readCheckpoint(p, `${note}— witness.example/w1 jWbPPwAAAABkGFDL\n`, key)).to.deep.equal(checkpoint)
  })

  it('is refused where it is another log’s, unsigned, changed or no checkpoint', async () => {
    await expectCode('CHECKPOINT_ORIGIN', () => readCheckpoint(p, note, { ...key, origin: 'other' }))
    const other = p.ed25519PublicKey(new Uint8Array(32).fill(5))
    await expectCode('CHECKPOINT_SIGNATURE', () => readCheckpoint(p, note, { ...key, publicKey: other }))
    await expectCode('CHECKPOINT_SIGNATURE', () => readCheckpoint(p, note.replace('\n3\n', '\n4\n'), key))
    for (const bad of ['', 'x', note.replace('\n3\n', '\n03\n'), note.replace('\n\n', '\n'), 'a\n'.repeat(5000)]) {
      await expectCode('CHECKPOINT_MALFORMED', () => readCheckpoint(p, bad, key))
    }
  })
})

describe('tiles', () => {
  it('are named as C2SP tlog-tiles names them', () => {
    expect(tilePath({ level: 0, index: 1_234_067, width: 256 })).to.equal('tile/0/x001/x234/067')
    expect(tilePath({ level: 'entries', index: 0, width: 5 })).to.equal('tile/entries/000.p/5')
    expect(tilePath({ level: 2, index: 273, width: 1 })).to.equal('tile/2/273.p/1')
  })

  it('have one name each', async () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.constant('entries' as const), fc.integer({ min: 0, max: 63 })),
        fc.integer({ min: 0, max: 10 ** 12 }),
        fc.integer({ min: 1, max: 256 }),
        (level, index, width) => {
          expect(readTilePath(tilePath({ level, index, width }))).to.deep.equal({ level, index, width })
        }
      )
    )
    for (const path of [
      'tile/0/1',
      'tile/0/x000/001',
      'tile/00/001',
      'tile/0/001.p/256',
      'tile/0/001.p/0',
      '../tile/0/000'
    ]) {
      await expectCode('TILE_PATH', () => readTilePath(path))
    }
  })

  it('lead from the leaves to the root', () => {
    const tree = createTree()
    for (let i = 0; i < 600; i++) appendLeaf(p, tree, leafHash(p, Uint8Array.of(i & 255, i >> 8)))
    const full = [0, 1].map(index => subtreeRoot(p, tree, index * 256, 256))
    const rest = createTree()
    for (let i = 512; i < 600; i++) appendLeaf(p, rest, leafHash(p, Uint8Array.of(i & 255, i >> 8)))
    const range = { size: 600, peaks: [...rangeOf(tree, 512).peaks, ...rangeOf(rest).peaks] }
    expect(rangeRoot(p, range)).to.deep.equal(rangeRoot(p, rangeOf(tree)))
    expect(full[0]).to.have.length(32)
  })

  it('bring entries back as they were, and nothing else', async () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 400 }), { maxLength: 20 }), entries => {
        expect(decodeBundle(encodeBundle(entries), entries.length)).to.deep.equal(entries)
      })
    )
    await expectCode('ENTRY_BUNDLE_MALFORMED', () => decodeBundle(Uint8Array.of(0, 9, 1), 1))
    await expectCode('ENTRY_BUNDLE_MALFORMED', () => decodeBundle(Uint8Array.of(0, 1, 1, 0, 1, 2), 1))
    expect([...bundlesFrom(300, 600)].map(({ index, width }) => [index, width])).to.deep.equal([
      [1, 256],
      [2, 88]
    ])
    expect([...bundlesFrom(512, 512)]).to.deep.equal([])
  })
})

describe('a followed log', () => {
  let patient: AgentKeys
  let entries: Uint8Array[]

  before(async () => {
    patient = await keysOf(1)
    entries = []
    for (let i = 0; i < 300; i++) {
      const bundles = [(i % 100 === 0 ? patient : await keysOf(2)).bundleBytes]
      const content = { ...CONTENT, atMs: i }
      entries.push(await sealReceipt(p, osRandom, { network: NETWORK, content, bundles }))
    }
  })

  const of = (anchor?: { treeSize: number; root: Uint8Array }) => ({ key, keys: patient, anchor })

  it('tells who opened what, once', async () => {
    const first = await collectReceipts(p, new PaperLog(entries.slice(0, 150)), UNFOLLOWED, of())
    expect(first.receipts.map(({ number, atMs }) => [number, atMs])).to.deep.equal([
      [0, 0],
      [100, 100]
    ])
    const second = await collectReceipts(p, new PaperLog(entries), first.followed, of())
    expect(second.receipts.map(({ number }) => number)).to.deep.equal([200])
    expect(second.followed.range).to.deep.equal(new PaperLog(entries).range())
    const third = await collectReceipts(p, new PaperLog(entries), second.followed, of())
    expect(third.receipts).to.deep.equal([])
  })

  it('is caught when it becomes shorter than it was seen, or than the chain has it', async () => {
    const { followed } = await collectReceipts(p, new PaperLog(entries), UNFOLLOWED, of())
    const shorter = new PaperLog(entries.slice(0, 200))
    await expectCode('RECEIPTS_TRUNCATED', async () => collectReceipts(p, shorter, followed, of()))
    const anchor = { treeSize: 250, root: rangeRoot(p, new PaperLog(entries.slice(0, 250)).range()) }
    await expectCode('RECEIPTS_TRUNCATED', async () => collectReceipts(p, shorter, UNFOLLOWED, of(anchor)))
  })

  it('is caught when it shows another history than it was seen with, or than the chain has', async () => {
    const before = await collectReceipts(p, new PaperLog(entries.slice(0, 150)), UNFOLLOWED, of())
    // A receipt is left out and another one stands for it, so that the length does not tell.
    const forged = new PaperLog([...entries.slice(0, 100), entries[5]!, ...entries.slice(101)])
    await expectCode('RECEIPTS_FORKED', async () => collectReceipts(p, forged, before.followed, of()))
    const same = new PaperLog(forged.entries.slice(0, 150))
    await expectCode('RECEIPTS_FORKED', async () => collectReceipts(p, same, before.followed, of()))
    const anchor = { treeSize: 120, root: rangeRoot(p, new PaperLog(entries.slice(0, 120)).range()) }
    await expectCode('RECEIPTS_FORKED', async () => collectReceipts(p, forged, UNFOLLOWED, of(anchor)))
    const honest = await collectReceipts(p, new PaperLog(entries), UNFOLLOWED, of(anchor))
    expect(honest.receipts).to.have.length(3)
  })

  it('is asked for one bundle at a time, whatever size it claims', async () => {
    const endless = new PaperLog(entries)
    const root = new Uint8Array(32)
    endless.checkpoint = async () =>
      Promise.resolve(signCheckpoint(p, { origin: key.origin, size: 10 ** 15 - 1, root }, SEED))
    await expectCode('ENTRY_BUNDLE_MALFORMED', async () => collectReceipts(p, endless, UNFOLLOWED, of()))
  })

  it('is left where it has more for its reader than is kept', async () => {
    const log = new PaperLog(entries)
    await expectCode('RECEIPTS_TOO_MANY', async () => collectReceipts(p, log, UNFOLLOWED, { ...of(), maxOwn: 2 }))
    const { receipts } = await collectReceipts(p, log, UNFOLLOWED, { ...of(), maxOwn: 3 })
    expect(receipts).to.have.length(3)
  })

  it('is judged before what is no receipt in it', async () => {
    const garbage = new PaperLog([...entries.slice(0, 10), utf8('nothing'), ...entries.slice(11)])
    await expectCode('RECEIPT_TRUNCATED', async () => collectReceipts(p, garbage, UNFOLLOWED, of()))
    const before = await collectReceipts(p, new PaperLog(entries.slice(0, 150)), UNFOLLOWED, of())
    await expectCode('RECEIPTS_FORKED', async () => collectReceipts(p, garbage, before.followed, of()))
  })

  it('is not believed where its entries are not those of its checkpoint', async () => {
    const note = await new PaperLog(entries).checkpoint()
    const few = entries.slice(0, 299)
    await expectCode('RECEIPTS_ENTRIES', () => followLog(p, UNFOLLOWED, { note, entries: few }, key))
    const mixed = new PaperLog(entries)
    mixed.checkpoint = async () => Promise.resolve(note)
    mixed.entries[7] = entries[8]!
    await expectCode('RECEIPTS_ENTRIES', async () => collectReceipts(p, mixed, UNFOLLOWED, of()))
  })
})
