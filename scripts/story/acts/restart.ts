import { join } from 'node:path'
import { startNode } from '#scripts/story/network.ts'
import { readRecord } from '#scripts/story/record.ts'
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
    const again = await startNode(lab.name, lab, join(stage.dataDir, 'logs', `${lab.name}.log`))
    stage.nodes[1] = again
    expectThat(again.service.ready['peerId'] === lab.service.ready['peerId'], 'it has the same identity')
    const after = await readRecord(again.client, patient, id, null)
    expectThat(after.length === before.length && after.length > 0, 'it has every entry')
    await until('it has found its peers again', 30_000, async () => (await again.client.status()).peers > 0)
  })
}
