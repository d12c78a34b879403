/** The documents of a node's configuration, from its schema. */
import { configSchema } from '#node/config/leaves.ts'
import { configPage } from '#node/config/page.ts'

/** Text of each document, by its path; prettier has not seen it. */
export function renderConfigPages(): ReadonlyMap<string, string> {
  return new Map([
    ['docs/reference/node-config.md', configPage()],
    ['docs/reference/node-config.schema.json', JSON.stringify(configSchema())]
  ])
}
