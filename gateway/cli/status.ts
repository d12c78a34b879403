import { networkIdOfDeployment } from '#core/chain/deployment.ts'
import { toHex } from '#core/encoding/bytes.ts'
import { isSalusError } from '#core/error.ts'
import { gatewayLogOrigin } from '#core/batch/gateway-log.ts'
import { encodeVerifierKey } from '#core/tlog/signed-note.ts'
import { nativePrimitives as p } from '#node/crypto/native.ts'
import { openBatchFiles } from '#gateway/batch-files.ts'
import { storedDeployment } from '#gateway/cli/folder.ts'
import { loadOrCreateGateway } from '#gateway/identity.ts'
import { readLedger } from '#gateway/ledger.ts'

/** Prints what the data directory says, also while the gateway runs over it. */
export async function status(data: string): Promise<void> {
  const identity = await loadOrCreateGateway(p, data)
  const network = await networkOf(data)
  const state = await readLedger(data)
  const kept = await (await openBatchFiles(data)).kept()
  const origin = gatewayLogOrigin(network, identity.id)
  console.log(
    JSON.stringify({
      gateway: toHex(identity.id),
      address: identity.wallet.address.toLowerCase(),
      logKey: encodeVerifierKey(p, { name: origin, type: 1, publicKey: identity.keys.bundle.sign }),
      batches: state.sequence,
      treeSize: state.range.size,
      pendingReadings: state.pending.length,
      acknowledged: state.acknowledged,
      anchored: state.anchored == null ? null : { sequence: state.anchored.sequence, batch: state.anchored.batch },
      heads: state.head?.sequence ?? 0,
      keptBatches: kept.length,
      lostBytes: state.lostBytes
    })
  )
}

/** Zeros for a gateway that has only ever run offline. */
async function networkOf(data: string): Promise<Uint8Array> {
  try {
    return networkIdOfDeployment(await storedDeployment(data))
  } catch (error) {
    if (isSalusError(error, 'GATEWAY_NOT_INITIALISED')) return new Uint8Array(32)
    throw error
  }
}
