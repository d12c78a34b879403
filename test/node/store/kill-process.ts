/** Restores a backup or opens a store, and tells its parent when it begins, to be killed meanwhile. */
import { restore } from '#node/store/backup/restore.ts'
import { openStore } from '#node/store/schema.ts'

const [, , what, from = '', to = ''] = process.argv
process.send?.('begins')
if (what === 'restore') await restore({ from, to })
else await (await openStore(from)).close()
process.disconnect()
