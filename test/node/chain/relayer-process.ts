/** A relayer as a process of its own: submits one request and tells how it went. */
import { createProvider } from '#node/chain/chain-rpc.ts'
import { loadDeployment } from '#node/chain/deployment-file.ts'
import type { RelayedRequest } from '#node/chain/relayed-methods.ts'
import { createRelayer } from '#node/chain/relayer.ts'
import { openDatabase } from '#node/store/database.ts'
import { account, silentLog } from '#test/node/chain/test-chain.ts'

const [, , rpcUrl = '', deploymentFile = '', directory = '', request = ''] = process.argv
const deployment = await loadDeployment(deploymentFile)
const provider = createProvider(rpcUrl, deployment.chainId)
const db = await openDatabase(directory)
const relayer = createRelayer(
  { provider, wallet: account(4, provider), deployment, log: silentLog, db },
  { pollMs: 50 }
)
await relayer.start()
process.send?.('started')
const result = await relayer.submit(JSON.parse(request) as RelayedRequest)
process.send?.(result)
await relayer.stop()
await db.close()
provider.destroy()
process.disconnect()
