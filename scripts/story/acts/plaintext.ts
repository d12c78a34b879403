import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { compress } from '#core/record/compression.ts'
import { findPlaintext } from '#scripts/story/find-plaintext.ts'
import { MARKERS, NOTE } from '#scripts/story/markers.ts'
import { expectThat, type Stage } from '#scripts/story/stage.ts'

/** Searches every disk that the network wrote to, and the chain's. */
export async function playPlaintext({ report, nodes, dataDir }: Stage): Promise<void> {
  await report.step('plaintext', 'The note lies readable on no node’s disk, on no chain and in no log', async () => {
    expectThat(await isFoundUnsealed(join(dataDir, 'control')), 'the search finds a note that is packed but not sealed')
    const folders = [...nodes.map(node => node.dataDir), join(dataDir, 'chain'), join(dataDir, 'logs')]
    const found = await findPlaintext(folders, MARKERS)
    expectThat(found.length === 0, `found in ${found.map(({ file }) => file).join(', ')}`)
  })
}

/** The control: the note as it would lie there if the last step of sealing, encryption, were left out. */
async function isFoundUnsealed(folder: string): Promise<boolean> {
  await mkdir(folder)
  await writeFile(join(folder, 'packed'), compress(NOTE))
  const found = await findPlaintext([folder], MARKERS)
  await rm(folder, { recursive: true })
  return found.some(({ marker }) => marker === 'attachment')
}
