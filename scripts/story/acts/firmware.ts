import { createHash } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { runCommand, type CommandOutcome } from '#scripts/process/service.ts'
import { osRandom } from '#scripts/story/people.ts'
import { expectThat, nodeAt, type Stage } from '#scripts/story/stage.ts'

const IMAGE_BYTES = 3 * 1024 * 1024 + 12_345
const KEY_FILES = ['release-1.key', 'release-2.key', 'release-3.key', 'guard.key'] as const

/** A maker publishes and goes; two devices that never met it update from different peers. */
export async function playFirmware(stage: Stage): Promise<void> {
  const { report, dataDir, deploymentFile, chain } = stage
  const folder = join(dataDir, 'maker')
  const [first, second, third, guard] = KEY_FILES.map(file => join(folder, file)) as [string, string, string, string]
  const image = join(folder, 'image.bin')
  const onChain = ['--rpc', chain.rpcUrl, '--deployment', deploymentFile, '--relay', nodeAt(stage, 0).httpUrl, '--json']

  const model = await report.step(
    'maker',
    'A manufacturer registers 2-of-3 release keys, a guard and a model',
    async () => {
      await mkdir(folder, { recursive: true })
      await writeFile(image, osRandom(IMAGE_BYTES))
      succeeded(await runCommand(['firmware', 'keygen', first, second, third, guard, '--json']))
      const keys = ['--keys', first, second, third, '--guard-keys', guard, '--threshold', '2', '--risk', 'test']
      const said = succeeded(
        await runCommand(['firmware', 'register', '--class', 'infusion-pump', ...keys, ...onChain])
      )
      return String(said['model'])
    }
  )
  await report.step('publish', 'It publishes a release; the peers hold the bytes; its process is gone', async () => {
    const peers = stage.nodes.flatMap(node => ['--peer', node.multiaddr])
    const release = ['--model', model, '--version', '1.0.0', '--keys', first, third]
    const place = ['--data', join(folder, 'data'), '--replicas', '3', ...peers]
    succeeded(await runCommand(['firmware', 'publish', image, ...release, ...place, ...onChain]))
  })
  const wanted = createHash('sha256')
    .update(await readFile(image))
    .digest('hex')
  for (const [name, index] of [
    ['device', 1],
    ['second-device', 2]
  ] as const) {
    const { multiaddr, name: peer } = nodeAt(stage, index)
    await report.step(
      name,
      `A device that knows only the chain’s address updates from the ${peer}’s node`,
      async () => {
        const data = join(dataDir, name)
        const factory = [
          '--model',
          model,
          '--rpc',
          chain.rpcUrl,
          '--registry',
          stage.deployment.contracts.FirmwareRegistry.address
        ]
        succeeded(await runCommand(['device', 'init', '--data', data, ...factory, '--json']))
        const said = succeeded(await runCommand(['device', 'update', '--data', data, '--peer', multiaddr, '--json']))
        const stored = createHash('sha256')
          .update(await readFile(String(said['path'])))
          .digest('hex')
        expectThat(stored === wanted, 'the device stores what the maker published')
      }
    )
  }
}

/** The last line of a command that must have succeeded. */
function succeeded({ code, lines, errorText }: CommandOutcome): Readonly<Record<string, unknown>> {
  const last = lines.at(-1)
  expectThat(code === 0 && last != null, errorText)
  return last
}
