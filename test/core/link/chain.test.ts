import { expect } from 'chai'
import {
  createReceiver,
  createSender,
  EPOCH_MS,
  eraseChain,
  FRAMES_PER_EPOCH,
  openFrame,
  sealFrame
} from '#core/link/chain.ts'
import type { Opened, Receiver, Sender } from '#core/link/chain.ts'
import { decodePacket } from '#core/link/packet.ts'
import { utf8 } from '#core/encoding/bytes.ts'
import { nativeLinkPrimitives as p } from '#gateway/link/native.ts'
import { expectCode } from '#test/error-code.ts'
import { mutations } from '#test/mutations.ts'

const TEXT = utf8('text')

function ends(): { sender: Sender; receiver: Receiver } {
  const key = (): Uint8Array => new Uint8Array(32).fill(5)
  return { sender: createSender(p, 0xabcdef, key(), 0), receiver: createReceiver(p, key()) }
}

function open(receiver: Receiver, frame: Uint8Array): Opened {
  const packet = decodePacket(frame)
  return packet?.type === 'frame' ? openFrame(p, receiver, packet, frame) : { refused: 'forged' }
}

describe('the keys of a direction', () => {
  it('open each frame once, in any order within the window', () => {
    const { sender, receiver } = ends()
    const frames = Array.from({ length: 60 }, () => sealFrame(p, sender, TEXT, 0))
    for (const frame of frames.toReversed()) expect(open(receiver, frame)).to.deep.equal({ plaintext: TEXT })
    for (const frame of frames) expect(open(receiver, frame)).to.deep.equal({ refused: 'replayed' })
  })

  it('are replaced after an hour and after 65,536 frames, and open nothing older', () => {
    const { sender, receiver } = ends()
    const old = sealFrame(p, sender, TEXT, 0)
    expect(open(receiver, sealFrame(p, sender, TEXT, EPOCH_MS))).to.deep.equal({ plaintext: TEXT })
    expect(sender.current.epoch).to.equal(1)
    expect(open(receiver, old)).to.deep.equal({ refused: 'old-epoch' })
    sender.framesInEpoch = FRAMES_PER_EPOCH
    expect(open(receiver, sealFrame(p, sender, TEXT, EPOCH_MS))).to.deep.equal({ plaintext: TEXT })
    expect(receiver.current.epoch).to.equal(2)
  })

  it('follow a sender whose frames of a whole epoch were lost, but no further', () => {
    const { sender, receiver } = ends()
    const frames = [1, 2, 3, 4].map(hours => sealFrame(p, sender, TEXT, hours * EPOCH_MS))
    expect(open(receiver, frames[2] ?? TEXT)).to.deep.equal({ refused: 'far-epoch' })
    expect(open(receiver, frames[1] ?? TEXT)).to.deep.equal({ plaintext: TEXT })
    expect(open(receiver, frames[3] ?? TEXT)).to.deep.equal({ plaintext: TEXT })
  })

  it('stay usable after a forged frame that claims a later epoch', () => {
    const { sender, receiver } = ends()
    const good = sealFrame(p, sender, TEXT, 0)
    const forged = good.slice()
    forged[5] = 2
    expect(open(receiver, forged)).to.deep.equal({ refused: 'forged' })
    expect(open(receiver, good)).to.deep.equal({ plaintext: TEXT })
    expect(open(receiver, sealFrame(p, sender, TEXT, EPOCH_MS))).to.deep.equal({ plaintext: TEXT })
  })

  it('overwrite what they followed from', () => {
    const key = new Uint8Array(32).fill(5)
    const sender = createSender(p, 1, key, 0)
    expect(key).to.deep.equal(new Uint8Array(32))
    const { chainKey } = sender.current
    sealFrame(p, sender, TEXT, EPOCH_MS)
    expect(chainKey).to.deep.equal(new Uint8Array(32))
    eraseChain(sender)
    expect(sender.current.chainKey).to.deep.equal(new Uint8Array(32))
  })

  it('open no mutation of a frame', () => {
    const { sender, receiver } = ends()
    const frame = sealFrame(p, sender, TEXT, 0)
    for (const changed of mutations(frame, { seed: 'frame', count: 4000 })) {
      if (Buffer.compare(changed, frame) !== 0) expect(open(receiver, changed)).to.have.property('refused')
    }
    expect(open(receiver, frame)).to.deep.equal({ plaintext: TEXT })
  })

  it('end when their numbers are used up', async () => {
    const { sender } = ends()
    sender.sequence = 2 ** 48
    await expectCode('LINK_EXHAUSTED', () => sealFrame(p, sender, TEXT, 0))
    const other = ends().sender
    other.current = { ...other.current, epoch: 0xffff }
    await expectCode('LINK_EXHAUSTED', () => sealFrame(p, other, TEXT, EPOCH_MS))
  })
})
