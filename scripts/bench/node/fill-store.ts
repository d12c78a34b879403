/** Fills a node's folder with entries that a node takes for its own: real messages, whose signatures nobody checks again. */
import { join } from 'node:path'
import { sealAsPatient } from '#core/agent/patient-entries.ts'
import { networkIdOfDeployment, type Deployment } from '#core/chain/deployment.ts'
import { acceptedOf } from '#core/network/accept.ts'
import { encodeMessage, messageKey } from '#core/network/envelope.ts'
import { decodeEntry, signEntry } from '#core/record/entry.ts'
import { utf8 } from '#core/encoding/bytes.ts'
import { openAcceptIndex } from '#node/assembly/accept-index.ts'
import { nativePrimitives as p } from '#node/crypto/native.ts'
import { createBlockstore } from '#node/store/blocks.ts'
import { createMessageLog } from '#node/store/messages.ts'
import { openStore } from '#node/store/schema.ts'
import { createDemoPatient, osRandom } from '#scripts/story/people.ts'

const DAY = 20_777
const GROUP = 512

/** Writes `count` small entries of one patient, each with its blob inside, as a node keeps them. */
export async function fillStore(dataDir: string, deployment: Deployment, count: number): Promise<void> {
  const network = networkIdOfDeployment(deployment)
  const author = await createDemoPatient(deployment)
  const content = { type: 'text/plain', recordedAtMs: 0, body: utf8('resting heart rate seventy-two') }
  const sealed = sealAsPatient(p, osRandom, author, { compartment: 'vitals', day: DAY, content })
  const { header } = decodeEntry(sealed.headerBytes)
  const db = await openStore(dataDir)
  const messages = createMessageLog({ db })
  const index = await openAcceptIndex(db)
  const blockstore = createBlockstore({ db, directory: join(dataDir, 'blocks') })
  await blockstore.start()
  await blockstore.put(header.blob, sealed.blob)

  async function write(): Promise<void> {
    const headerBytes = signEntry(p, { ...header, entry: osRandom(16) }, author.keys.signSeed)
    const message = {
      kind: 'entry' as const,
      network,
      header: headerBytes,
      slot: sealed.slotBytes,
      evidence: author.evidence,
      blob: sealed.blob
    }
    const accepted = acceptedOf(message)
    const position = await messages.append(messageKey(message), encodeMessage(message), [accepted.patient])
    await index.reserve(accepted).commit(position, false)
  }
  for (let done = 0; done < count; done += GROUP) {
    await Promise.all(Array.from({ length: Math.min(GROUP, count - done) }, write))
  }
  await index.stop()
  await messages.stop()
  await blockstore.stop()
  await db.close()
}
