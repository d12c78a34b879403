import { join } from 'node:path'
import { startNode } from '#scripts/story/network.ts'
import { readRecord } from '#scripts/story/read.ts'
import { expectThat, nodeAt, type Cast, type Stage } from '#scripts/story/stage.ts'
import { until } from '#scripts/story/until.ts'

/** The laboratory's node stops, starts again on its data, and has what it had. */
export async function playRestart(stage: Stage, { patient }: Cast): Promise<void> {
  await stage.report.step('restart', 'The laboratory’s node restarts and has everything', async () => {
    const lab = nodeAt(stage, 1)
    const { patient: id } = patient.state
    const before = await readRecord(lab.client, patient, id, null)
    await lab.service.stop()
    expectThat((await lab.service.ended) === 0, 'it stopped cleanly')
    const logFile = join(stage.dataDir, 'logs', `${lab.name}.log`)
    // Without peers first: what it has then, it has from its own disk.
    const alone = await startNode(lab.name, { ...lab, args: withoutPeers(lab.args) }, logFile)
    expectThat(alone.service.ready['peerId'] === lab.service.ready['peerId'], 'it has the same identity')
    const after = await readRecord(alone.client, patient, id, null)
    expectThat(after.length === before.length && after.length > 0, 'it has every entry')
    await alone.service.stop()
    const again = await startNode(lab.name, lab, logFile)
    stage.nodes[1] = again
    await until('it has found its peers again', 30_000, async () => (await again.client.status()).peers > 0)
  })
}

function withoutPeers(args: readonly string[]): string[] {
  return args.filter((arg, i) => arg !== '--peer' && args[i - 1] !== '--peer')
}
