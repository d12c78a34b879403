import { join } from 'node:path'
import { findPlaintext } from '#scripts/story/find-plaintext.ts'
import { MARKERS } from '#scripts/story/markers.ts'
import { expectThat, type Stage } from '#scripts/story/stage.ts'

/** Searches every disk that the network wrote to, and the chain's. */
export async function playPlaintext({ report, nodes, dataDir }: Stage): Promise<void> {
  await report.step(
    'plaintext',
    'No name and no note lies readable on any node’s disk, on the chain or in a log',
    async () => {
      const folders = [...nodes.map(node => node.dataDir), join(dataDir, 'chain'), join(dataDir, 'logs')]
      const found = await findPlaintext(folders, MARKERS)
      expectThat(found.length === 0, `found in ${found.map(({ file }) => file).join(', ')}`)
    }
  )
}
