/** Images from peers, block by block; every block that came is on the disk, which is how an update resumes. */
import type { ImageSource } from '#node/firmware/device.ts'
import type { FirmwarePeer } from '#node/firmware/peer.ts'
import { fetchFile, type BlockOptions } from '#node/network/fetch-file.ts'

/**
 * A source over a running peer.
 *
 * Fetching throws SalusError `FETCH_NO_BLOCK`, `FETCH_OVERSIZE`, `FETCH_MALFORMED`, `FETCH_NOT_A_FILE`.
 */
export function createImageSource(
  { host, blockstore }: Pick<FirmwarePeer, 'host' | 'blockstore'>,
  options: Pick<BlockOptions, 'deadlineMs' | 'tries'> = {}
): ImageSource {
  return {
    fetch: (manifest, signal) =>
      fetchFile(host.helia, manifest.cid, {
        ...options,
        maxBytes: manifest.sizeBytes,
        ...(signal == null ? {} : { signal })
      }),
    async heldBytes() {
      let held = 0
      for await (const { bytes } of blockstore.getAll()) for await (const chunk of bytes) held += chunk.length
      return held
    },
    async clear() {
      for await (const { cid } of blockstore.getAll()) await blockstore.delete(cid)
    }
  }
}
