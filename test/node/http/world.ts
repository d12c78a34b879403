import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { peerIdFromString } from '@libp2p/peer-id'
import { createPatient } from '#core/agent/patient-state.ts'
import { patientKeys, registrationCall } from '#core/agent/patient-registration.ts'
import { patientEvidence } from '#core/agent/grantee-requests.ts'
import { sealAsPatient } from '#core/agent/patient-entries.ts'
import { prepareGrant } from '#core/agent/patient-grant.ts'
import { fromHex, utf8 } from '#core/encoding/bytes.ts'
import { signReadRequest, type ReadRequest } from '#core/grant/read-request.ts'
import { encodeMessage } from '#core/network/envelope.ts'
import type { SealedEntry } from '#core/record/seal-entry.ts'
import { dayOf } from '#core/record/day.ts'
import { nativePrimitives as p } from '#node/crypto/native.ts'
import { createNodeClient, type NodeClient } from '#node/http/client.ts'
import { createNode, type NodeInit, type SalusNode } from '#node/node.ts'
import { createProvider } from '#node/chain/chain-rpc.ts'
import {
  createDemoClinician,
  deadlineS,
  nowS,
  osRandom,
  type DemoClinician,
  type DemoPatient
} from '#scripts/story/people.ts'
import { account, silentLog, startTestChain, type TestChain } from '#test/node/chain/test-chain.ts'

/** A running node. */
export interface TestNode {
  readonly node: SalusNode
  readonly url: string
  readonly client: NodeClient
  readonly multiaddr: string
  readonly dataDir: string
  stop(): Promise<void>
}

/** A chain, nodes and people. */
export interface TestWorld {
  readonly chain: TestChain
  readonly network: Uint8Array
  node(
    options?: { peers?: readonly string[]; dataDir?: string; relayer?: number } & Partial<NodeInit>
  ): Promise<TestNode>
  /** A patient on the chain, whom the node knows. */
  patient(by: TestNode): Promise<DemoPatient>
  /** A clinician with a grant, on the chain and known to the node, whose capsule was handed in. */
  grantee(
    by: TestNode,
    patient: DemoPatient,
    rights: number
  ): Promise<{ clinician: DemoClinician; grantId: Uint8Array }>
  stop(): Promise<void>
}

/** Waits for something that will happen. */
export async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await pause(50)
}

/** Starts a chain; nodes and people come when asked for. */
export async function createTestWorld(): Promise<TestWorld> {
  const chain = await startTestChain()
  const { deployment } = chain
  const network = fromHex(deployment.networkId, 32)
  const stops: (() => Promise<void>)[] = []
  return {
    chain,
    network,
    async node({ peers = [], dataDir, relayer = 1, ...init } = {}) {
      const dir = dataDir ?? (await mkdtemp(join(tmpdir(), 'salus-node-')))
      const provider = createProvider(chain.rpcUrl, deployment.chainId)
      const node = createNode(
        { provider, deployment, log: silentLog, wallet: account(relayer, provider) },
        {
          dataDir: dir,
          host: { listen: ['/ip4/127.0.0.1/tcp/0'], peers },
          http: { port: 0 },
          follower: { pollMs: 50 },
          relayer: { pollMs: 50 },
          syncIntervalMs: 500,
          version: '0.0.0',
          ...init
        }
      )
      const { http: url, multiaddrs } = await node.start()
      let stopped = false
      const stop = async (): Promise<void> => {
        if (stopped) return
        stopped = true
        await node.stop()
        provider.destroy()
      }
      stops.push(async () => {
        await stop()
        await rm(dir, { recursive: true, force: true })
      })
      return { node, url, client: createNodeClient({ url }), multiaddr: multiaddrs[0] ?? '', dataDir: dir, stop }
    },
    async patient({ client }) {
      const wallet = account(9)
      const state = createPatient(osRandom, deployment, fromHex(wallet.address, 20))
      const keys = await patientKeys(p, state)
      const signTypedData: DemoPatient['signTypedData'] = async (...args) => wallet.signTypedData(...args)
      const { blockNumber } = await client.relay(
        await registrationCall(state, keys, { target: deployment, deadlineS: deadlineS(), signTypedData })
      )
      await followed(client, blockNumber)
      return { kind: 'patient', signTypedData, keys, evidence: patientEvidence(keys), state }
    },
    async grantee({ client }, patient, rights) {
      const clinician = await createDemoClinician(deployment)
      const signing = { ...patient, target: deployment, deadlineS: deadlineS() }
      const { state, call, grantId, capsuleBytes } = await prepareGrant(p, osRandom, signing, {
        grantee: clinician.address,
        bundle: clinician.keys.bundleBytes,
        rights,
        uses: 255,
        notBefore: nowS() - 60,
        expiresAt: nowS() + 86_400,
        compartments: ['vitals'],
        purpose: 'treatment',
        nowS: nowS()
      })
      patient.state = state
      const { blockNumber } = await client.relay(call)
      await followed(client, blockNumber)
      await client.publish(encodeMessage({ kind: 'capsule', network, capsule: capsuleBytes }))
      return { clinician, grantId }
    },
    async stop() {
      for (const stop of stops.reverse()) await stop()
      await chain.stop()
    }
  }
}

async function followed(client: NodeClient, blockNumber: number): Promise<void> {
  await until(async () => (await client.status()).chain.blockNumber >= blockNumber)
}

/** A sealed note of a patient, of a size. */
export function noteOf(patient: DemoPatient, sizeBytes = 100): SealedEntry {
  const body = sizeBytes === 100 ? utf8('resting heart rate seventy-two') : osRandom(sizeBytes)
  const content = { type: 'text/plain', recordedAtMs: Date.now(), body }
  return sealAsPatient(p, osRandom, patient, { compartment: 'vitals', day: dayOf(Date.now()), content })
}

/** The encoded message of a note. */
export function messageOf(network: Uint8Array, patient: DemoPatient, sealed: SealedEntry, inline = true): Uint8Array {
  const { headerBytes: header, slotBytes: slot, blob } = sealed
  const { evidence } = patient
  return encodeMessage({ kind: 'entry', network, header, slot, evidence, blob: inline ? blob : null })
}

/** A read request of a patient or clinician to a node. */
export async function readRequest(
  at: TestNode,
  reader: DemoPatient | DemoClinician,
  patient: Uint8Array,
  grant: Uint8Array | null,
  change: Partial<ReadRequest> = {}
): Promise<Uint8Array> {
  const { peerId } = await at.client.status()
  const request = {
    network: reader.state.network,
    patient,
    grant,
    audience: peerIdFromString(peerId).toMultihash().bytes,
    issuedAtMs: Date.now(),
    nonce: osRandom(16),
    author: reader.keys.bundle.sign,
    evidence: reader.evidence,
    ...change
  }
  return signReadRequest(p, request, reader.keys.signSeed)
}
