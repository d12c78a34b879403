import { createHash } from 'node:crypto'
import { seedOf, type PlacePeer, type Seed } from '#core/placement/rendezvous.ts'

/** A peer of a name. */
export function peer(id: string, weight = 1, operator = ''): PlacePeer {
  return { id, seed: seedOf(createHash('sha256').update(`peer ${id}`).digest()), weight, operator }
}

/** Peers with names of a number each. */
export function peers(count: number, weight: (index: number) => number = () => 1): PlacePeer[] {
  return Array.from({ length: count }, (_, i) => peer(`p${String(i)}`, weight(i)))
}

/** Seeds of blobs of a number each. */
export function blobs(count: number, from = 0): Seed[] {
  return Array.from({ length: count }, (_, i) =>
    seedOf(
      createHash('sha256')
        .update(`blob ${String(from + i)}`)
        .digest()
    )
  )
}
