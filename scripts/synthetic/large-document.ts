import { createHash } from 'node:crypto'

const PIECE_BYTES = 3 * 65_536

/** A document of so many bytes of content that does not deflate, as one bundle; made while it is read. */
export async function* largeDocument(bytes: number): AsyncGenerator<Uint8Array> {
  const head = '{"resourceType":"DocumentReference","id":"large","status":"current","content":[{"attachment":'
  yield Buffer.from(`${head}{"contentType":"application/dicom","data":"`)
  let block = createHash('sha512').update(String(bytes)).digest()
  for (let done = 0; done < bytes; done += PIECE_BYTES) {
    const piece = Buffer.alloc(Math.min(PIECE_BYTES, bytes - done))
    for (let i = 0; i < piece.length; i += block.length) {
      if (i % 65_536 === 0) block = createHash('sha512').update(block).digest()
      block.copy(piece, i)
      piece.writeUInt32LE((done + i) % 0xffff_ffff, Math.min(i, piece.length - 4))
    }
    yield Buffer.from(piece.toString('base64'))
  }
  await Promise.resolve()
  yield Buffer.from('"}}]}')
}
