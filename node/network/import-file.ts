import type { UnixFS } from '@helia/unixfs'
import type { Helia } from 'helia'
import type { CID } from 'multiformats/cid'

/** What a file became. */
export interface ImportedFile {
  /** CID of the root: raw up to 1 MiB, a UnixFS tree of 1 MiB raw leaves above. */
  readonly cid: CID
  readonly sizeBytes: number
}

/** Time in which pinning must end: every block is here, so it never asks the network. */
const PIN_TIMEOUT_MS = 600_000

/** Puts a file into the node's store and pins it there, so that it is kept and served. A second time changes nothing. */
export async function importFile(
  { helia, unixfs }: { readonly helia: Helia; readonly unixfs: UnixFS },
  content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  options: { readonly signal?: AbortSignal } = {}
): Promise<ImportedFile> {
  let sizeBytes = 0
  async function* counted(): AsyncGenerator<Uint8Array> {
    for await (const chunk of content) {
      sizeBytes += chunk.length
      yield chunk
    }
  }
  const cid = await unixfs.addByteStream(counted(), options)
  await pin(helia, cid, options.signal)
  return { cid, sizeBytes }
}

/** Pins a file that is here whole. */
export async function pin(
  helia: Helia,
  cid: CID,
  signal: AbortSignal = AbortSignal.timeout(PIN_TIMEOUT_MS)
): Promise<void> {
  if (await helia.pins.isPinned(cid)) return
  // A lazy generator: nothing is pinned until it has been walked.
  const blocks = helia.pins.add(cid, { signal })
  while ((await blocks.next()).done !== true);
}
