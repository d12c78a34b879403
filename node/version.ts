import { createRequire } from 'node:module'

const { version } = createRequire(import.meta.url)('../package.json') as { version: string }

/** Version of this software, as in package.json. */
export const VERSION: string = version
