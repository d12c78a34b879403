import { expect } from 'chai'
import { CID } from 'multiformats/cid'
import * as raw from 'multiformats/codecs/raw'
import * as Digest from 'multiformats/hashes/digest'
import { createRoom, imagesOf, inTurns, type Claim, type Image } from '#node/firmware/image-claims.ts'

/** A claim of the image numbered `id`. */
function claim(manufacturer: string, id: number, sequence = 1, sizeBytes = 10): Claim {
  const sha256 = new Uint8Array(32).fill(id)
  const cid = CID.createV1(raw.code, Digest.create(0x12, sha256))
  const model = new Uint8Array(32)
  const rest = { network: model, model, version: '1', securityCounter: 0, pieceBytes: 2 ** 20 }
  return { manufacturer, manifest: { ...rest, sequence, sizeBytes, sha256, cid } }
}

const image = (...claims: Claim[]): Image => [...imagesOf(claims).values()][0]!

describe('the room for images', () => {
  it('is a quarter for each manufacturer while others want some', () => {
    const room = createRoom(100)
    room.take(image(claim('a', 1)), 20)
    expect(room.fits(image(claim('a', 2)), 5, true)).to.equal(true)
    expect(room.fits(image(claim('a', 2)), 6, true)).to.equal(false)
    expect(room.fits(image(claim('b', 3)), 25, true)).to.equal(true)
  })

  it('is more for one that is alone, but never the last quarter', () => {
    const room = createRoom(100)
    room.take(image(claim('a', 1)), 25)
    expect(room.fits(image(claim('a', 2)), 50, false)).to.equal(true)
    expect(room.fits(image(claim('a', 2)), 51, false)).to.equal(false)
    room.take(image(claim('a', 2)), 50)
    expect(room.fits(image(claim('b', 3)), 25, false)).to.equal(true)
    expect(room.fits(image(claim('b', 3)), 26, false)).to.equal(false)
  })

  it('comes back with what is let go', () => {
    const room = createRoom(100)
    room.take(image(claim('a', 1)), 25)
    expect(room.fits(image(claim('a', 2)), 10, true)).to.equal(false)
    room.giveBack(image(claim('a', 1)))
    expect(room.fits(image(claim('a', 2)), 10, true)).to.equal(true)
  })

  it('is not used up by a stranger who claims the image of another', () => {
    const room = createRoom(100)
    room.take(image(claim('stranger', 1)), 25)
    expect(room.fits(image(claim('stranger', 2), claim('maker', 2)), 25, true)).to.equal(true)
  })
})

describe('the turns of images', () => {
  it('go round the manufacturers, newest first', () => {
    const many = Array.from({ length: 5 }, (_, i) => claim('loud', i + 1, i + 100))
    const images = imagesOf([...many, claim('quiet', 50, 1)]).values()
    const order = inTurns(images, () => 0).map(({ claims }) => claims[0]!.manifest.sequence)
    expect(order).to.deep.equal([104, 1, 103, 102, 101, 100])
  })
})
