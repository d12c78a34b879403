import { lowerCase, type Needle } from '#scripts/observer/needles.ts'
import type { Place, SeenTransaction } from '#scripts/observer/observe.ts'

/** A needle that an observer of the chain would find. */
export interface Finding {
  readonly needle: string
  readonly hash: string
  readonly place: Place
}

/** Looks for every needle in everything that a transaction shows. */
export function findNeedles({ hash, parts }: SeenTransaction, needles: readonly Needle[]): Finding[] {
  return parts.flatMap(({ place, bytes }) => {
    const hay = Buffer.from(bytes)
    const lower = Buffer.from(lowerCase(bytes))
    return needles
      .filter(({ bytes: wanted, isText }) => (isText ? lower : hay).includes(Buffer.from(wanted)))
      .map(({ name }) => ({ needle: name, hash, place }))
  })
}
