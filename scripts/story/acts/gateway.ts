import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { openAsGrantee } from '#core/agent/grantee-entries.ts'
import { BATCH_TYPE, decodeBatch, type Batch } from '#core/batch/batch.ts'
import { parseRecording, type Recording } from '#core/batch/recording.ts'
import { equalBytes, fromHex, toHex } from '#core/encoding/bytes.ts'
import { RIGHT_WRITE } from '#core/grant/terms.ts'
import { checkBinding, keyBindingDomain } from '#core/identity/key-binding.ts'
import { decodeKeyBundle, keyBundleDigest } from '#core/identity/key-bundle.ts'
import { nativePrimitives } from '#node/crypto/native.ts'
import { runCommand, type CommandOutcome } from '#scripts/process/service.ts'
import { giveGrant } from '#scripts/story/acts/grant.ts'
import { nowS } from '#scripts/story/people.ts'
import { readRecord } from '#scripts/story/read.ts'
import { firstPart } from '#scripts/story/recording-parts.ts'
import { expectThat, nodeAt, type Cast, type Stage } from '#scripts/story/stage.ts'
import { until } from '#scripts/story/until.ts'

/** Share of the recording replayed before the revocation; the rest comes after it. */
const SHARE_BEFORE = 0.75
const ANCHOR_EVERY = 2

/** The gateway at the bedside. */
export interface Bedside {
  readonly dataDir: string
  /** The recording, and the same cut short. */
  readonly recording: string
  readonly firstPart: string
  readonly gatewayId: string
  readonly grantId: Uint8Array
  /** Digest of the patient's key bundle, which the patient tells whoever sets the gateway up. */
  readonly patientKeys: Uint8Array
  readonly signKey: Uint8Array
}

/** Sets up the gateway, lets it write vitals, and replays the first part of a recording. */
export async function playGateway(stage: Stage, { patient }: Cast, recording: string): Promise<Bedside> {
  const { report, dataDir } = stage
  const bedside = await report.step(
    'gateway',
    'A gateway makes its keys; the patient lets it write vitals, not read',
    async () => {
      const folder = join(dataDir, 'gateway')
      const outcome = await runCommand(['gateway', 'init', '--data', folder, '--deployment', stage.deploymentFile])
      const said = outcome.lines[0]
      expectThat(outcome.code === 0 && said != null, outcome.errorText)
      const bundle = fromHex(String(said['keyBundle']))
      const { notAfter, signature } = said['binding'] as { notAfter: number; signature: string }
      const evidence = { bundle, binding: { notAfter, signature: fromHex(signature) } }
      const { chainId, contracts } = stage.deployment
      const address = String(said['address'])
      checkBinding(keyBindingDomain(chainId, contracts.AccessGrants.address), evidence, { address, nowS: nowS() })
      const wish = { address: fromHex(address, 20), bundle, rights: RIGHT_WRITE, compartments: ['vitals'] as const }
      const part = join(dataDir, 'first-part.csv')
      await writeFile(part, firstPart(await readFile(recording, 'utf8'), SHARE_BEFORE))
      return {
        dataDir: folder,
        recording,
        firstPart: part,
        gatewayId: String(said['gateway']),
        grantId: await giveGrant(stage, patient, wish),
        patientKeys: keyBundleDigest(patient.keys.bundleBytes),
        signKey: decodeKeyBundle(bundle).sign
      }
    }
  )
  await report.step('replay', 'The recording is signed, sealed, published and anchored, batch by batch', async () => {
    const { code, lines, errorText } = await runGateway(stage, bedside, bedside.firstPart)
    expectThat(code === 0, errorText)
    expectThat(
      lines.some(line => line['event'] === 'anchored'),
      'a batch was anchored'
    )
  })
  return bedside
}

/** Runs the gateway to the end of a recording. */
export async function runGateway(stage: Stage, bedside: Bedside, recording: string): Promise<CommandOutcome> {
  return runCommand([
    'gateway',
    'run',
    ...gatewayArgs(stage, bedside, recording),
    '--speed',
    'max',
    '--exit-at-end',
    '--json'
  ])
}

/** Arguments of `salus gateway run`. */
export function gatewayArgs(stage: Stage, { dataDir, grantId, patientKeys }: Bedside, recording: string): string[] {
  const { httpUrl } = nodeAt(stage, 0)
  const place = ['--data', dataDir, '--node', httpUrl, '--grant', toHex(grantId), '--patient-keys', toHex(patientKeys)]
  return [...place, '--replay', recording, '--batch-seconds', '60', '--anchor-every', String(ANCHOR_EVERY)]
}

/** The doctor opens the batches at another node; they equal the recording, and the chain knows their root. */
export async function playReading(stage: Stage, cast: Cast, bedside: Bedside): Promise<Batch[]> {
  const { report, nodes } = stage
  const { doctor, doctorGrant, patient } = cast
  const { patient: id } = patient.state
  return report.step('read', 'The doctor reads every reading at another node; they equal the recording', async () => {
    const complete = await readRecord(nodeAt(stage, 0).client, patient, id, null)
    await until('every node has every entry', 30_000, async () => {
      const counts = await Promise.all(
        nodes.map(async node => (await readRecord(node.client, patient, id, null)).length)
      )
      return counts.every(count => count === complete.length)
    })
    const batches: Batch[] = []
    const record = await stage.facts.recordOf(id)
    for (const entry of await readRecord(nodeAt(stage, 2).client, doctor, id, doctorGrant)) {
      const { content, author } = openAsGrantee(nativePrimitives, doctor.state, entry, record)
      if (content.type !== BATCH_TYPE) continue
      const byGateway = author.kind === 'grantee' && equalBytes(author.grantId, bedside.grantId)
      expectThat(byGateway, 'the chain says that the gateway wrote it')
      batches.push(decodeBatch(nativePrimitives, content.body, bedside.signKey, { patient: id }))
    }
    const recorded = parseRecording(new Uint8Array(await readFile(bedside.firstPart)))
    expectThat(valuesOf(batches).join() === valuesRecorded(recorded).join(), 'the readings equal the recording')
    const last = batches.at(-1)?.header
    expectThat(last != null, 'there is a batch')
    await until('the doctor’s node has seen the anchor of the last batch', 20_000, async () => {
      const { root, treeSize } = await nodeAt(stage, 2).client.gateway(bedside.gatewayId)
      return root === toHex(last.root) && treeSize === last.treeTo
    })
    return batches
  })
}

/** Every reading as text, in an order of its own that does not depend on batches. */
function valuesOf(batches: readonly Batch[]): string[] {
  return batches
    .flatMap(batch => batch.readings)
    .filter(({ mantissa }) => mantissa != null)
    .map(({ stream, deviceTimeMs, mantissa }) => `${deviceTimeMs} ${stream.mdc} ${String(mantissa)}e${stream.exponent}`)
    .sort()
}

function valuesRecorded({ columns, rows }: Recording): string[] {
  return rows
    .flatMap(({ timeMs, values }) =>
      values.flatMap((value, i) => {
        const column = columns[i]
        return value == null || column == null ? [] : [`${timeMs} ${column.metric.mdc} ${value}e${column.exponent}`]
      })
    )
    .sort()
}
