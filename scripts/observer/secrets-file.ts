/** The file that tells the observer what must not be found; its form is in docs/privacy.md. */
import { readFile } from 'node:fs/promises'
import { getBytes } from 'ethers'
import { CID } from 'multiformats/cid'
import { z } from 'zod'
import { SalusError } from '#core/error.ts'
import type { Secret } from '#scripts/observer/needles.ts'

const hex = z.string().regex(/^0x(?:[0-9a-fA-F]{2}){8,}$/)
const address = z.string().regex(/^0x[0-9a-fA-F]{40}$/)
const shortest = 4
const secret = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('text'), name: z.string(), value: z.string().min(shortest) }),
  z.strictObject({ kind: z.literal('cid'), name: z.string(), value: z.string().refine(isCid) }),
  z.strictObject({ kind: z.literal('bytes'), name: z.string(), value: hex })
])
const file = z.strictObject({
  secrets: z.array(secret).default([]),
  relationships: z.array(z.strictObject({ name: z.string(), ids: z.array(hex).min(1) })).default([]),
  relayers: z.array(address).default([]),
  grantees: z.array(address).default([]),
  staff: z.array(hex).default([]),
  passkeySite: z.string().default('salus.example')
})

/** One relationship: the pseudonym, and ids of its grants if their use is to be told as well. */
interface Pseudonym {
  readonly name: string
  readonly ids: readonly Uint8Array[]
}

/** What the file says. */
export interface Wanted {
  readonly secrets: readonly Secret[]
  readonly relationships: readonly Pseudonym[]
  readonly relayers: readonly string[]
  readonly grantees: readonly string[]
  readonly staff: readonly string[]
  readonly passkeySite: string
}

/**
 * Reads it; without one, only words that tell of health are looked for.
 *
 * @throws SalusError `OBSERVER_INPUT`; its message has no secret in it
 */
export async function loadWanted(path: string | undefined): Promise<Wanted> {
  try {
    const { secrets, relationships, ...others } = file.parse(
      path == null ? {} : JSON.parse(await readFile(path, 'utf8'))
    )
    return {
      ...others,
      secrets: secrets.map(each => (each.kind === 'bytes' ? { ...each, value: getBytes(each.value) } : each)),
      relationships: relationships.map(({ name, ids }) => ({ name, ids: ids.map(id => getBytes(id)) }))
    }
  } catch {
    // No cause: it would quote the file.
    throw new SalusError(
      'OBSERVER_INPUT',
      `${path ?? ''} does not name secrets and relationships as docs/privacy.md says.`
    )
  }
}

function isCid(text: string): boolean {
  try {
    CID.parse(text)
    return true
  } catch {
    return false
  }
}
