/** Appends to a message log until it is killed, and tells its parent what was acknowledged. */
import { utf8 } from '#core/encoding/bytes.ts'
import { openDatabase } from '#node/store/database.ts'
import { createMessageLog } from '#node/store/messages.ts'

const [, , path = ''] = process.argv
const log = createMessageLog({ db: await openDatabase(path) })
const patient = new Uint8Array(32).fill(1)

async function appendForEver(writer: number): Promise<never> {
  for (let i = 0; ; i++) {
    const name = `${String(writer)}-${String(i)}`
    process.send?.(await log.append(`key-${name}`, utf8(name), [patient]))
  }
}

// Several at once, so that the kill finds groups half-written.
await Promise.all([1, 2, 3, 4, 5].map(appendForEver))
