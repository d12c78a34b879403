import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { JsonRpcProvider } from 'ethers'
import { leafIndex, type Batch } from '#core/batch/batch.ts'
import { verifyBundle } from '#core/batch/verify.ts'
import { isSalusError } from '#core/error.ts'
import { nativePrimitives } from '#node/crypto/native.ts'
import { runCommand } from '#scripts/process/service.ts'
import type { Bedside } from '#scripts/story/acts/gateway.ts'
import { expectThat, type Stage } from '#scripts/story/stage.ts'

/** One reading, its way to a block of the chain, and everything that must not pass for it. */
export async function playProof(stage: Stage, bedside: Bedside, batches: readonly Batch[]): Promise<void> {
  const { report, dataDir, chain } = stage
  const bundleFile = join(dataDir, 'reading.salus-proof')
  await report.step('proof', 'One reading is proven offline, down to a block hash', async () => {
    const [batch] = batches
    const position = batch?.readings.findIndex(({ mantissa }) => mantissa != null) ?? -1
    expectThat(batch != null && position >= 0, 'there is a reading to prove')
    const index = String(leafIndex(batch.header, position))
    const place = ['--data', bedside.dataDir, '--index', index, '--rpc', chain.rpcUrl]
    const proven = await runCommand(['gateway', 'prove', ...place, '--out', bundleFile])
    expectThat(proven.code === 0, proven.errorText)

    const offline = await runCommand(['verify', bundleFile, '--json'])
    const facts = offline.lines[0]
    expectThat(offline.code === 0 && facts?.['ok'] === true, 'the bundle holds by itself')
    const hash = await blockHash(chain.rpcUrl, Number(facts['blockNumber']))
    const expected = ['--block-hash', hash, '--deployment', stage.deploymentFile]
    const confirmed = (await runCommand(['verify', bundleFile, ...expected, '--json'])).lines[0]
    expectThat(confirmed?.['blockConfirmed'] === true, 'the block is one of this chain')
    expectThat(confirmed['contractConfirmed'] === true, 'the contract is the one of this network')
  })
  await report.step('bit-flips', 'The same bundle with any single bit flipped is refused', async () => {
    const bundle = new Uint8Array(await readFile(bundleFile))
    for (let bit = 0; bit < bundle.length * 8; bit++) {
      const forged = bundle.slice()
      forged[bit >> 3] = (forged[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      expectThat(await isRefused(forged), `bit ${bit} can be flipped unnoticed`)
    }
    const forgedFile = join(dataDir, 'forged.salus-proof')
    bundle[bundle.length >> 1] = (bundle[bundle.length >> 1] ?? 0) ^ 1
    await writeFile(forgedFile, bundle)
    const { code, lines } = await runCommand(['verify', forgedFile, '--json'])
    expectThat(code === 1 && lines[0]?.['ok'] === false, 'the command refuses a forged file')
  })
}

async function isRefused(bundle: Uint8Array): Promise<boolean> {
  try {
    await verifyBundle(nativePrimitives, bundle)
    return false
  } catch (error) {
    if (isSalusError(error)) return true
    throw error
  }
}

async function blockHash(rpcUrl: string, number: number): Promise<string> {
  const provider = new JsonRpcProvider(rpcUrl)
  try {
    const block = await provider.getBlock(number)
    expectThat(block?.hash != null, 'the chain has the block')
    return block.hash
  } finally {
    provider.destroy()
  }
}
