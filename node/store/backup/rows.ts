/** Rows that a backup leaves out, and a restore too where an older version of this program put them in. */

/** Parts of the database that are worth something on this disk and now alone: who may operate the node, and what its callers were answered. */
const PARTS = ['tokens', 'answered'] as const
const PREFIXES: readonly string[] = PARTS.map(part => `!${part}!`)

/** Whether a row, by its key in the whole database, is of such a part. */
export function isOfThisNodeAlone(key: string): boolean {
  return PREFIXES.some(prefix => key.startsWith(prefix))
}
