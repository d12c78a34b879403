import type { Helia } from 'helia'
import type { CID } from 'multiformats/cid'

/** Tells peers that asked for a block in vain that it is here now; call it once the block can be read. */
export type Announce = (cid: CID) => Promise<void>

/**
 * An {@link Announce} by the block brokers that a Helia is given from now on.
 *
 * Helia's own `put` tells peers before the block can be read, and what is put into the store beside it nobody is told of: who
 * asked too early is sent nothing, and asks again only when its deadline of some seconds has passed.
 */
export function announceThrough(helia: Helia): Announce {
  const brokers: Parameters<Helia['addBlockBroker']>[0][] = []
  const add = helia.addBlockBroker.bind(helia)
  helia.addBlockBroker = broker => {
    brokers.push(broker)
    add(broker)
  }
  return async cid => {
    await Promise.all(
      brokers.map(async broker => (typeof broker === 'function' ? undefined : await broker.announce?.(cid)))
    )
  }
}
