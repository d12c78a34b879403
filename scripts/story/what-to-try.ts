import { join } from 'node:path'
import type { StoryEnd } from '#scripts/story/story.ts'

/** What a person can do with the network that is left running. */
export function whatToTryNext({ stage, bedside }: StoryEnd): string {
  const [hospital] = stage.nodes
  const bundle = join(stage.dataDir, 'reading.salus-proof')
  return `
The network goes on, and the gateway replays the recording in real time. Try, in another terminal:

  curl ${hospital?.httpUrl ?? ''}/v1/status              what a node knows
  curl ${hospital?.httpUrl ?? ''}/openapi.json           its HTTP API
  curl ${hospital?.httpUrl ?? ''}/v1/gateways/${bedside.gatewayId}
                                                        the gateway's head on the chain
  npm run -s salus -- verify ${bundle}
                                                        a proven reading, checked offline
  npm run -s salus -- gateway prove --data ${bedside.dataDir} --index 3 --rpc ${stage.chain.rpcUrl} --out my.salus-proof
                                                        another one
  npm run -s salus -- --help                            everything else

Chain ${stage.chain.rpcUrl}, data and logs in ${stage.dataDir}. Ctrl-C stops everything.`
}
