/** Seconds from the patient's word until every node refuses the former grantee, and what of that is the chain's. */
import { readPage, relay } from '#agent/network/record.ts'
import { prepareRevocation } from '#core/agent/patient-revocation.ts'
import { isSalusError } from '#core/error.ts'
import { encodeMessage } from '#core/network/envelope.ts'
import { nativePrimitives as p } from '#node/crypto/native.ts'
import { signing, timedGrant } from '#scripts/bench/grants/giving.ts'
import {
  bareTransaction,
  endsOf,
  followed,
  lookUntil,
  registeredPatient,
  type BenchWorld
} from '#scripts/bench/grants/world.ts'
import { percentile, type Bench } from '#scripts/bench/report.ts'
import { createDemoClinician, nowS, osRandom, type DemoClinician, type DemoPatient } from '#scripts/story/people.ts'
import type { NodeClient } from '#node/http/client.ts'

/** One revocation, in seconds from the patient's word. */
interface Ended {
  readonly firstS: number
  readonly everyS: number
}

async function isRefused(
  client: NodeClient,
  doctor: DemoClinician,
  wish: { readonly patient: Uint8Array; readonly grant: Uint8Array }
): Promise<boolean> {
  try {
    await readPage({ p, random: osRandom, clock: () => Date.now() }, client, doctor, { ...wish, limit: 1 })
    return false
  } catch (error) {
    if (isSalusError(error, 'READ_REVOKED')) return true
    throw error
  }
}

async function revoke(
  world: BenchWorld,
  patient: DemoPatient,
  doctor: DemoClinician,
  grantId: Uint8Array
): Promise<Ended> {
  const { client } = endsOf(world).near
  const { patient: id, network } = patient.state
  const begun = performance.now()
  const refusals = world.nodes.map(async node => {
    await lookUntil(() => isRefused(node.client, doctor, { patient: id, grant: grantId }))
    return (performance.now() - begun) / 1000
  })
  const send = async (): Promise<void> => {
    const prepared = await prepareRevocation(p, osRandom, signing(world, patient), { grantId, nowS: nowS() })
    patient.state = prepared.state
    await relay(client, prepared.call)
    await client.publish(encodeMessage({ kind: 'rotation', network, rotation: prepared.rotationBytes }))
    for (const { capsuleBytes: capsule } of prepared.capsules) {
      await client.publish(encodeMessage({ kind: 'capsule', network, capsule }))
    }
  }
  const [seconds] = await Promise.all([Promise.all(refusals), send()])
  return { firstS: Math.min(...seconds), everyS: Math.max(...seconds) }
}

/** Figures of revocation, with one grantee who stays and gets new keys each time. */
export async function benchRevocation(bench: Bench, world: BenchWorld, rounds: number): Promise<void> {
  const patient = await registeredPatient(world)
  const stays = await createDemoClinician(world.deployment)
  await timedGrant(world, patient, stays)
  const bareS: number[] = []
  const ended: Ended[] = []
  for (let round = 0; round < rounds; round++) {
    bench.progress(`revocation ${String(round + 1)} of ${String(rounds)}`)
    const doctor = await createDemoClinician(world.deployment)
    const { grantId } = await timedGrant(world, patient, doctor)
    await followed(world.nodes, await world.provider.getBlockNumber())
    bareS.push((await bareTransaction(world)) / 1000)
    ended.push(await revoke(world, patient, doctor, grantId))
  }
  const name = 'a bare transaction until every node has followed its block'
  const every = ended.map(({ everyS }) => everyS)
  const versus = { name, samples: bareS }
  bench.figure({ metric: 'revoke.first-node-refuses', samples: ended.map(({ firstS }) => firstS), unit: 's', versus })
  bench.figure({ metric: 'revoke.every-node-refuses', samples: every, unit: 's', versus })
  bench.figure({
    metric: 'revoke.every-node-refuses.p95',
    samples: [percentile(every, 95)],
    unit: 's',
    versus: { name: `${name}, p95`, samples: [percentile(bareS, 95)] }
  })
}
