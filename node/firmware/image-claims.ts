/** What releases say of images, gathered by image, and which of those that are missing may be fetched. */
import type { CID } from 'multiformats/cid'
import { equalBytes, toHex } from '#core/encoding/bytes.ts'
import type { Manifest } from '#core/firmware/manifest.ts'

/** One release's claim of what the bytes behind a CID are. */
export interface Claim {
  readonly manifest: Manifest
  readonly manufacturer: string
}

/** An image as far as the chain tells: anyone may claim anything of a CID, and at most one digest and length are right. */
export interface Image {
  readonly cid: CID
  readonly claims: readonly Claim[]
}

/** Names what a manifest claims, so that a stranger's wrong claim of an honest CID does not count against the right one. */
export function claimKey({ cid, sha256, sizeBytes }: Manifest): string {
  return `${cid.toString()} ${toHex(sha256)} ${String(sizeBytes)}`
}

/** Whether an image is what a manifest claims. */
export function isTrue(manifest: Manifest, sizeBytes: number, sha256: Uint8Array): boolean {
  return manifest.sizeBytes === sizeBytes && equalBytes(manifest.sha256, sha256)
}

/** Claims by the text of their CID. */
export function imagesOf(claims: Iterable<Claim>): Map<string, Image> {
  const images = new Map<string, { cid: CID; claims: Claim[] }>()
  for (const claim of claims) {
    const { cid } = claim.manifest
    const image = images.get(cid.toString()) ?? { cid, claims: [] }
    image.claims.push(claim)
    images.set(cid.toString(), image)
  }
  return images
}

/** Most bytes that an image can have. */
export function largestClaim({ claims }: Image): number {
  return claims.reduce((most, { manifest }) => Math.max(most, manifest.sizeBytes), 0)
}

/**
 * Puts images in the order in which to ask for them: manufacturers take turns, each with what failed least and then what
 * it released last, so that one that publishes much makes nobody else wait.
 */
export function inTurns(images: Iterable<Image>, triesOf: (image: Image) => number): Image[] {
  const newest = ({ claims }: Image): number => Math.max(...claims.map(({ manifest }) => manifest.sequence))
  const sorted = [...images].sort((a, b) => triesOf(a) - triesOf(b) || newest(b) - newest(a))
  const turns = new Map<string, number>()
  const ranked = sorted.map(image => {
    const makers = image.claims.map(({ manufacturer }) => manufacturer)
    const turn = Math.min(...makers.map(maker => turns.get(maker) ?? 0))
    for (const maker of makers) turns.set(maker, (turns.get(maker) ?? 0) + 1)
    return { image, turn }
  })
  return ranked.sort((a, b) => a.turn - b.turn).map(({ image }) => image)
}

/** The bytes that a node gives to images: those that are here or on their way, by manufacturer. */
export interface Room {
  /** Counts an image that is here or on its way. */
  take(image: Image, sizeBytes: number): void
  /** Gives back what was taken. */
  giveBack(image: Image): void
  /**
   * Whether an image that is not here fits. A manufacturer gets a quarter; more only while no other wants room, and the
   * last quarter stays for those who come.
   *
   * @param others - whether another manufacturer wants room
   */
  fits(image: Image, sizeBytes: number, others: boolean): boolean
}

/** Empty room for `maxBytes`. */
export function createRoom(maxBytes: number): Room {
  const taken = new Map<string, { readonly maker: string; readonly sizeBytes: number }>()
  const shares = new Map<string, number>()
  let total = 0

  function add(maker: string, sizeBytes: number): void {
    shares.set(maker, (shares.get(maker) ?? 0) + sizeBytes)
    total += sizeBytes
  }

  /** Whose share an image counts in: of those that claim it, the one with the most left. */
  function makerOf({ claims }: Image): string {
    const makers = claims.map(({ manufacturer }) => manufacturer)
    return makers.sort((a, b) => (shares.get(a) ?? 0) - (shares.get(b) ?? 0))[0] ?? ''
  }

  return {
    take(image, sizeBytes) {
      const maker = makerOf(image)
      taken.set(image.cid.toString(), { maker, sizeBytes })
      add(maker, sizeBytes)
    },
    giveBack({ cid }) {
      const earlier = taken.get(cid.toString())
      if (earlier != null) add(earlier.maker, -earlier.sizeBytes)
      taken.delete(cid.toString())
    },
    fits(image, sizeBytes, others) {
      if (total + sizeBytes > maxBytes) return false
      if ((shares.get(makerOf(image)) ?? 0) + sizeBytes <= maxBytes / 4) return true
      return !others && total + sizeBytes <= (maxBytes / 4) * 3
    }
  }
}
