/** Whoever can read the node's folder operates it: a token in a file of the folder, new with each start. */
import { createHash, timingSafeEqual } from 'node:crypto'
import { join } from 'node:path'
import { z } from 'zod'
import type { Random } from '#core/crypto/primitives.ts'
import { utf8 } from '#core/encoding/bytes.ts'
import { SalusError } from '#core/error.ts'
import { readIfThere, removeDurably, writeDurably } from '#node/store/durable-file.ts'

const content = z.strictObject({ url: z.url(), token: z.string().regex(/^salus_local_[A-Za-z0-9_-]{43}$/) })

/** Where a running node is reached, and with what. */
export type LocalAccess = z.infer<typeof content>

/** The token of a start. */
export interface LocalToken {
  is(token: string): boolean
  /** Puts the file into the folder. */
  write(url: string): Promise<void>
  /** Takes it away. */
  remove(): Promise<void>
}

/** Makes the token of a start. */
export function createLocalToken(dataDir: string, random: Random): LocalToken {
  const token = `salus_local_${Buffer.from(random(32)).toString('base64url')}`
  const digest = digestOf(token)
  return {
    is: given => timingSafeEqual(digestOf(given), digest),
    write: async url => writeDurably(fileIn(dataDir), utf8(`${JSON.stringify({ url, token })}\n`)),
    remove: async () => removeDurably(fileIn(dataDir))
  }
}

/**
 * Reads what a running node left in its folder.
 *
 * @throws SalusError `NODE_NOT_RUNNING`
 */
export async function readLocalAccess(dataDir: string): Promise<LocalAccess> {
  const bytes = await readIfThere(fileIn(dataDir))
  const { success, data } = content.safeParse(bytes == null ? null : parsed(new TextDecoder().decode(bytes)))
  if (!success) throw new SalusError('NODE_NOT_RUNNING', `No node runs on ${dataDir}; start it with "salus node run".`)
  return data
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

function fileIn(dataDir: string): string {
  return join(dataDir, 'operator.json')
}

function digestOf(token: string): Buffer {
  return createHash('sha256').update(token).digest()
}
