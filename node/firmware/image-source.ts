/** Images from peers, block by block; every block that came is on the disk, which is how an update resumes. */
import type { ImageSource } from '#node/firmware/device.ts'
import type { FirmwarePeer } from '#node/firmware/peer.ts'
import type { FetchOptions } from '#node/network/exchange.ts'

/**
 * A source over a running peer.
 *
 * Fetching throws SalusError `FETCH_NO_BLOCK`, `FETCH_OVERSIZE`, `FETCH_MALFORMED`, `FETCH_NOT_A_FILE`, `STORE_WRITE_FAILED`.
 */
export function createImageSource(
  { exchange, blockstore }: Pick<FirmwarePeer, 'exchange' | 'blockstore'>,
  options: Pick<FetchOptions, 'deadlineMs' | 'tries'> = {}
): ImageSource {
  return {
    fetch: (manifest, signal) =>
      exchange.fetch(manifest.cid, {
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
