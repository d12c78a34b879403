import { join } from 'node:path'
import type { JsonRpcProvider } from 'ethers'
import { createChainFacts } from '#agent/chain/chain-facts.ts'
import { createProvider } from '#node/chain/chain-rpc.ts'
import { gatewayArgs, playGateway, playReading, runGateway, type Bedside } from '#scripts/story/acts/gateway.ts'
import { playFirmware } from '#scripts/story/acts/firmware.ts'
import { playForgery } from '#scripts/story/acts/forgery.ts'
import { playGrant } from '#scripts/story/acts/grant.ts'
import { playPlaintext } from '#scripts/story/acts/plaintext.ts'
import { playProof } from '#scripts/story/acts/proof.ts'
import { playRestart } from '#scripts/story/acts/restart.ts'
import { playRevocation } from '#scripts/story/acts/revocation.ts'
import { playStrangers } from '#scripts/story/acts/strangers.ts'
import { deployContracts, startChain, startNodes, type StoryChain, type StoryNode } from '#scripts/story/network.ts'
import type { StoryReport } from '#scripts/story/report.ts'
import { expectThat, type Cast, type Stage } from '#scripts/story/stage.ts'

/** What runs when the story is over. */
export interface StoryEnd {
  readonly stage: Stage
  readonly cast: Cast
  readonly bedside: Bedside
  /** Arguments of `salus gateway run` for another recording. */
  gatewayArgs(recording: string): string[]
}

/** What was started, so that it can be stopped whatever happens. */
export interface Started {
  chain?: StoryChain
  provider?: JsonRpcProvider
  nodes: StoryNode[]
}

/** Plays the main job from an empty folder; the first step that does not hold ends it. */
export async function playStory(
  report: StoryReport,
  { dataDir, recording }: { readonly dataDir: string; readonly recording: string },
  started: Started
): Promise<StoryEnd> {
  report.say('The network')
  const chain = await report.step('chain', 'A development chain runs as a process of its own', () =>
    startChain(dataDir)
  )
  started.chain = chain
  const { deployment, file } = await report.step(
    'contracts',
    'The contracts are deployed, and who governs them is set up',
    () => deployContracts(chain.rpcUrl, dataDir)
  )
  await report.step('nodes', 'Three nodes run and see each other', () =>
    startNodes(chain.rpcUrl, file, dataDir, started.nodes)
  )
  const provider = createProvider(chain.rpcUrl, deployment.chainId)
  started.provider = provider
  const facts = createChainFacts(provider, deployment)
  const stage: Stage = { dataDir, report, chain, facts, deployment, deploymentFile: file, nodes: started.nodes }

  report.say('The record')
  const cast = await playGrant(stage)
  const bedside = await playGateway(stage, cast, recording)
  const batches = await playReading(stage, cast, bedside)
  await playStrangers(stage, cast)
  await playForgery(stage, cast)
  await playProof(stage, bedside, batches)
  await playRevocation(stage, cast, async () => {
    const { code, errorText } = await runGateway(stage, bedside, bedside.recording)
    expectThat(code === 0, errorText)
  })

  report.say('The firmware')
  await playFirmware(stage)

  report.say('The network once more')
  await playRestart(stage, cast)
  await playPlaintext(stage)
  return { stage, cast, bedside, gatewayArgs: file => gatewayArgs(stage, bedside, file) }
}

/** Stops whatever runs, the chain last. */
export async function stopStory({ chain, provider, nodes }: Started): Promise<void> {
  provider?.destroy()
  await Promise.all(nodes.map(node => node.service.stop()))
  await chain?.service.stop()
}

/** The recording that ships with Salus. */
export const SHIPPED_RECORDING: string = join(import.meta.dirname, '../../gateway/recordings/synthetic.csv')
