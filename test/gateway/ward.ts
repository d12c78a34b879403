/** A real chain with the contracts, a relayer, a patient who granted a gateway to write vitals, and a node in memory. */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { HDNodeWallet, Mnemonic, Wallet } from 'ethers'
import type { ChainCall } from '#core/agent/chain-call.ts'
import { patientKeys, registrationCall } from '#core/agent/patient-registration.ts'
import { createPatient, type PatientState } from '#core/agent/patient-state.ts'
import { prepareGrant } from '#core/agent/patient-grant.ts'
import { prepareRevocation } from '#core/agent/patient-revocation.ts'
import type { Deployment } from '#core/chain/deployment.ts'

import { fromHex, toHex } from '#core/encoding/bytes.ts'
import { SalusError } from '#core/error.ts'
import { NO_EXPIRY, RIGHT_WRITE, UNLIMITED_USES } from '#core/grant/terms.ts'
import type { AgentKeys } from '#core/identity/agent-keys.ts'
import { createDevChain } from '#node/chain/dev-chain.ts'
import { createProvider } from '#node/chain/chain-rpc.ts'
import { createRelayer } from '#node/chain/relayer.ts'
import { nativePrimitives as p } from '#node/crypto/native.ts'
import { createLog } from '#node/log.ts'
import { deployAll } from '#scripts/deploy/deploy.ts'
import { fetchAnchor } from '#gateway/anchor-proof.ts'
import { deriveGateway, signEvidence, type GatewayIdentity } from '#gateway/identity.ts'
import type { NodePort } from '#gateway/node-port.ts'
import { random } from '#test/gateway/fresh.ts'

const DEV_MNEMONIC = 'test test test test test test test test test test test junk'

/** A log that says nothing. */
export const silent = createLog({ name: 'test', level: 'silent' })

/** A node that keeps what it is given in memory and relays to the real chain. */
export interface MemoryNode extends NodePort {
  readonly messages: Uint8Array[]
  readonly blobs: Map<string, Uint8Array>
  /** Capsules of the one grant, oldest first. */
  readonly capsules: Uint8Array[]
  /** Why the node refuses a message, or null. */
  refusalOf: (message: Uint8Array) => string | null
}

/** Everything that stands when a gateway is switched on. */
export interface Ward {
  readonly rpcUrl: string
  readonly provider: ReturnType<typeof createProvider>
  readonly deployment: Deployment
  readonly node: MemoryNode
  /** From which the gateway's identity derives. */
  readonly seed: Uint8Array
  readonly identity: GatewayIdentity
  readonly evidence: Uint8Array
  readonly grant: Uint8Array
  readonly patient: { state: PatientState; readonly keys: AgentKeys }
  /** Replaces the patient's generation of vitals, as revoking someone else's grant does. */
  replaceGeneration(): Promise<void>
  stop(): Promise<void>
}

/** Starts everything; takes some seconds. */
export async function startWard(): Promise<Ward> {
  const directory = await mkdtemp(join(tmpdir(), 'salus-ward-'))
  const chain = createDevChain({ log: silent }, { dataDir: directory, port: 0 })
  const { rpcUrl } = await chain.start()
  const provider = createProvider(rpcUrl, 31337)
  const wallet = devWallet(0).connect(provider)
  const deployment = await deployAll({ provider, signer: wallet, log: silent })
  const relayer = createRelayer({
    provider,
    wallet: new Wallet(devWallet(1).privateKey, provider),
    deployment,
    log: silent
  })
  const node = createMemoryNode({
    relay: async request => relayer.submit(request),
    gateway: async gateway => {
      const { anchored } = await fetchAnchor(provider, deployment, fromHex(gateway, 32), 0).catch(() => ({
        anchored: null
      }))
      const { sequence = 0, treeSize = 0, root } = anchored ?? {}
      return { gateway, certificate: '', sequence, treeSize, root: root == null ? null : toHex(root), isRetired: false }
    }
  })

  const owner = devWallet(2)
  const state = createPatient(random, deployment, fromHex(owner.address, 20))
  const keys = await patientKeys(p, state)
  const deadlineS = Math.floor(Date.now() / 1000) + 3600
  const signTypedData = owner.signTypedData.bind(owner)
  await node.relay(mutable(await registrationCall(state, keys, { target: deployment, deadlineS, signTypedData })))

  const seed = random(32)
  const identity = await deriveGateway(p, seed)
  const signing = { keys, target: deployment, deadlineS, signTypedData }
  const wish = (to: Uint8Array, bundle: Uint8Array): Parameters<typeof prepareGrant>[3] => ({
    grantee: to,
    bundle,
    notBefore: Math.floor(Date.now() / 1000) - 60,
    expiresAt: NO_EXPIRY,
    rights: RIGHT_WRITE,
    uses: UNLIMITED_USES,
    compartments: ['vitals'],
    purpose: 'TREAT',
    nowS: Math.floor(Date.now() / 1000)
  })
  const other = await deriveGateway(p, random(32))
  const first = await prepareGrant(p, random, { ...signing, state }, wish(other.signer, other.keys.bundleBytes))
  const granted = await prepareGrant(
    p,
    random,
    { ...signing, state: first.state },
    wish(identity.signer, identity.keys.bundleBytes)
  )
  await node.relay(mutable(granted.call))
  node.capsules.push(granted.capsuleBytes)
  const patient = { state: granted.state, keys }
  return {
    rpcUrl,
    provider,
    deployment,
    node,
    seed,
    identity,
    evidence: await signEvidence(identity, deployment, Date.now()),
    grant: granted.grantId,
    patient,
    async replaceGeneration() {
      const revoked = await prepareRevocation(
        p,
        random,
        { ...signing, state: patient.state },
        {
          grantId: first.grantId,
          nowS: Math.floor(Date.now() / 1000)
        }
      )
      patient.state = revoked.state
      node.capsules.push(...revoked.capsules.map(({ capsuleBytes }) => capsuleBytes))
    },
    async stop() {
      await relayer.stop()
      provider.destroy()
      await chain.stop()
      await rm(directory, { recursive: true, force: true })
    }
  }
}

/** A node in memory. */
export function createMemoryNode(chain: Pick<NodePort, 'relay' | 'gateway'>): MemoryNode {
  const node: MemoryNode = {
    messages: [],
    blobs: new Map(),
    capsules: [],
    refusalOf: () => null,
    ...chain,
    publish: async message => {
      await Promise.resolve()
      const refusal = node.refusalOf(message)
      if (refusal != null) throw new SalusError(refusal, 'refused by the test')
      const known = node.messages.findIndex(each => toHex(each) === toHex(message))
      if (known < 0) node.messages.push(message)
      return { status: known < 0 ? 'stored' : 'known', position: known < 0 ? node.messages.length : known }
    },
    putBlob: async (cid, bytes) => {
      await Promise.resolve()
      node.blobs.set(cid, bytes)
    },
    queryCapsules: async () => {
      await Promise.resolve()
      return node.capsules.map((capsule, position) => ({ position, capsule })).slice(-1)
    }
  }
  return node
}

/** One of the accounts that the embedded chain begins with. */
export function devWallet(index: number): Wallet {
  const { privateKey } = HDNodeWallet.fromMnemonic(Mnemonic.fromPhrase(DEV_MNEMONIC), `m/44'/60'/0'/0/${String(index)}`)
  return new Wallet(privateKey)
}

function mutable({ args, ...call }: ChainCall): Parameters<NodePort['relay']>[0] {
  return { ...call, args: [...args] }
}
