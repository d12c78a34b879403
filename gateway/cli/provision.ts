import { randomBytes } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { renderUnicodeCompact } from 'uqr'
import { toHex } from '#core/encoding/bytes.ts'
import { SalusError } from '#core/error.ts'
import { encodeSensorCard } from '#core/link/provisioning.ts'
import { nativePrimitives as p } from '#node/crypto/native.ts'
import { loadOrCreateGateway } from '#gateway/identity.ts'
import type { ProvisionOptions } from '#gateway/cli/provision-options.ts'
import { openSensors } from '#gateway/link-source.ts'

/** Makes sensors known, changes their keys, shuts them out. The gateway is not running meanwhile. */
export async function provision(device: string | undefined, options: ProvisionOptions): Promise<void> {
  const { data, udp, mqtt, out, list, revoke, rotate } = options
  const identity = await loadOrCreateGateway(p, data)
  const store = await openSensors({ p, random: length => new Uint8Array(randomBytes(length)), identity, data })
  if (list) {
    const sensors = store.sensors.map(sensor => ({ device: sensor.device, suite: sensor.suite }))
    console.log(JSON.stringify({ sensors, registryRoot: toHex(store.registryRoot()) }))
    return
  }
  if (device == null) throw new SalusError('CLI_GATEWAY', 'Name the sensor, or --list.')
  if (revoke || rotate) {
    await (revoke ? store.revoke(device) : store.rotate(device))
    console.log(
      JSON.stringify({ event: revoke ? 'revoked' : 'rotating', device, registryRoot: toHex(store.registryRoot()) })
    )
    return
  }
  const card = Buffer.from(encodeSensorCard(await store.provision({ device, suite: 1, udp, mqtt })))
  if (out != null) await writeFile(out, card, { mode: 0o600, flag: 'wx' })
  else console.error(renderUnicodeCompact(`salus-sensor:${card.toString('base64url')}`))
  const told =
    out == null ? { card: card.toString('base64url') } : { file: out, sizeBytes: (await readFile(out)).length }
  console.log(JSON.stringify({ event: 'provisioned', device, ...told, registryRoot: toHex(store.registryRoot()) }))
}
