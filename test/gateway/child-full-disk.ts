/** A process whose files may not grow: appends to a journal, or runs a gateway, until the disk takes no more. */
import { openJournal } from '#gateway/journal.ts'
import { openLedger } from '#gateway/ledger.ts'
import { createGateway } from '#gateway/gateway.ts'
import { deriveGateway } from '#gateway/identity.ts'
import { createReplay } from '#gateway/replay.ts'
import { parseRecording } from '#core/batch/recording.ts'
import { byContract, readDeployment } from '#core/chain/deployment.ts'
import { networkIdOf } from '#core/chain/network-id.ts'
import { toHex, utf8 } from '#core/encoding/bytes.ts'
import { isSalusError } from '#core/error.ts'
import { nativePrimitives as p } from '#node/crypto/native.ts'
import { createLog } from '#node/log.ts'
import type { NodePort } from '#gateway/node-port.ts'
import { random } from '#test/gateway/fresh.ts'

const [what = '', path = ''] = process.argv.slice(2)
const say = (line: Record<string, unknown>): void => void process.stdout.write(`${JSON.stringify(line)}\n`)

if (what === 'journal') {
  const journal = await openJournal(path)
  const appends = Array.from({ length: 60 }, async (_, i) => journal.append(new Uint8Array(300).fill(i)))
  const outcomes = await Promise.allSettled(appends)
  say({ acknowledged: outcomes.filter(({ status }) => status === 'fulfilled').length })
} else {
  const ledger = await openLedger(path)
  const patient = { id: new Uint8Array(32), keyBundle: new Uint8Array(32) }
  await ledger.record({ type: 'patient', patient })
  await ledger.close()
  const address = `0x${'11'.repeat(20)}`
  const contract = { address, codeHash: `0x${'00'.repeat(32)}` }
  const deployment = readDeployment({
    chainId: 1,
    networkId: toHex(networkIdOf(1, address)),
    blockNumber: 1,
    contracts: byContract(() => contract)
  })
  const rows = Array.from({ length: 3000 }, (_, i) => `${String(i)},60\n`)
  const recording = parseRecording(utf8(`Time [s],HR\n${rows.join('')}`))
  const clock = (): number => Date.now()
  const never = async (): Promise<never> => Promise.reject(new Error('no node is needed'))
  const node: NodePort = { relay: never, publish: never, putBlob: never, queryCapsules: never, gateway: never }
  const gateway = createGateway(
    {
      p,
      random,
      clock,
      log: createLog({ name: 'test', level: 'silent' }),
      node,
      identity: await deriveGateway(p, new Uint8Array(32).fill(7)),
      deployment,
      evidence: new Uint8Array(1),
      // Slow enough that each second's readings are on their way to the disk while the next ones are awaited.
      sources: [createReplay({ clock }, { recording, device: 'monitor', speed: 200 })]
    },
    {
      dataDir: path,
      grant: new Uint8Array(32),
      patientKeys: new Uint8Array(32),
      batchSeconds: 100_000,
      anchorEvery: 1,
      exitAtEnd: true,
      keepBatches: 4,
      onEvent: () => undefined
    }
  )
  await gateway.start()
  await gateway.ended.catch((error: unknown) => say({ code: isSalusError(error) ? error.code : String(error) }))
  await gateway.stop()
}
