import { peerIdFromString } from '@libp2p/peer-id'
import { Wallet } from 'ethers'
import { claimCall, granteeEvidence } from '#core/agent/grantee-requests.ts'
import { prepareGrant } from '#core/agent/patient-grant.ts'
import { readCustodianCard } from '#core/custody/custodian-card.ts'
import { encodeCustodyRequest } from '#core/custody/release-request.ts'
import { shareOneTime } from '#core/custody/one-time.ts'
import { fromHex } from '#core/encoding/bytes.ts'
import { signReadRequest } from '#core/grant/read-request.ts'
import { deriveAgentKeys, type AgentKeys } from '#core/identity/agent-keys.ts'
import type { SealedEntry } from '#core/record/seal-entry.ts'
import { decodeSlot, openSlot } from '#core/record/slot.ts'
import { leafOf } from '#core/record/day-tree.ts'
import { decodeEntry } from '#core/record/entry.ts'
import { currentGeneration } from '#core/agent/patient-state.ts'
import { createCustodyClient, type CustodyClient } from '#node/http/client-custody.ts'
import { deadlineS, nowS, osRandom, type DemoPatient } from '#scripts/story/people.ts'
import { tools } from '#test/core/custody/circle.ts'
import { until, type TestNode, type TestWorld } from '#test/node/http/world.ts'

const { p } = tools

/** Somebody with a one-time grant. */
export interface Visitor {
  readonly keys: AgentKeys
  readonly evidence: Uint8Array
  readonly address: Uint8Array
  readonly grantId: Uint8Array
  /** Claims the grant on the chain, through a node; resolves when every node has seen it final. */
  claim(by: TestNode, nodes: readonly TestNode[], finalityS: number): Promise<void>
  /** Other keys of the same person, bound by the same wallet. */
  rebind(): Promise<{ keys: AgentKeys; evidence: Uint8Array }>
  /** A request for a custodian's share. */
  request(of: TestNode, as?: { keys: AgentKeys; evidence: Uint8Array }): Promise<Uint8Array>
}

/** A custodian's client. */
export function custodyOf(node: TestNode): CustodyClient {
  return createCustodyClient({ url: node.url })
}

/** Content key of one of the patient's own entries. */
function contentKeyOf(patient: DemoPatient, { headerBytes, slotBytes }: SealedEntry): Uint8Array {
  const { day } = decodeEntry(headerBytes).header
  const leafKey = leafOf(p, currentGeneration(patient.state, 'vitals').key, day)
  return openSlot(p, decodeSlot(slotBytes), leafKey)
}

/** Grants one entry once, its key shared out among custodians, two of whom must meet. */
export async function inviteOnce(
  world: TestWorld,
  patient: DemoPatient,
  entry: SealedEntry,
  custodians: readonly TestNode[]
): Promise<Visitor & { readonly planBytes: Uint8Array; readonly confirmations: readonly Uint8Array[] }> {
  const [first] = custodians
  if (first == null) throw new Error('no custodian')
  const { deployment } = world.chain
  const wallet = Wallet.createRandom()
  const address = fromHex(wallet.address, 20)
  const keys = await deriveAgentKeys(p, osRandom(32))
  const signTypedData: DemoPatient['signTypedData'] = async (...args) => wallet.signTypedData(...args)
  const evidence = await granteeEvidence(keys, { target: deployment, notAfterS: nowS() + 86_400, signTypedData })
  const expiresAt = nowS() + 86_400
  const signing = { ...patient, target: deployment, deadlineS: deadlineS() }
  const prepared = await prepareGrant(p, osRandom, signing, {
    grantee: address,
    bundle: keys.bundleBytes,
    rights: 1,
    uses: 1,
    notBefore: nowS() - 60,
    expiresAt,
    compartments: ['vitals'],
    purpose: 'second opinion',
    nowS: nowS()
  })
  const { document } = prepared.state.grants.at(-1)!
  const cards = await Promise.all(
    custodians.map(async node => readCustodianCard(p, await custodyOf(node).card(), world.network))
  )
  const shared = await shareOneTime(
    tools,
    patient,
    { document, expiresAtS: expiresAt },
    { keys: [], entries: [{ entry: entry.cid, contentKey: contentKeyOf(patient, entry) }] },
    { keepers: cards.map(({ bundle }) => ({ bundle })), threshold: 2 }
  )
  const confirmations = await Promise.all(custodians.map(async (node, i) => custodyOf(node).keep(shared.shares[i]!)))
  const { blockNumber } = await first.client.relay(prepared.call)
  for (const node of custodians) await until(async () => (await node.client.status()).chain.blockNumber >= blockNumber)
  const { grantId } = prepared
  return {
    keys,
    evidence,
    address,
    grantId,
    planBytes: shared.planBytes,
    confirmations,
    async rebind() {
      const others = await deriveAgentKeys(p, osRandom(32), [2])
      const binding = { target: deployment, notAfterS: nowS() + 86_400, signTypedData }
      return { keys: others, evidence: await granteeEvidence(others, binding) }
    },
    async claim(by, nodes, finalityS) {
      const call = await claimCall({
        ...{ target: deployment, grantId, signer: address, usesLeft: 0 },
        ...{ deadlineS: deadlineS(), signTypedData }
      })
      const claimed = await by.client.relay(call)
      const { timestamp = 0 } = (await world.chain.provider.getBlock(claimed.blockNumber)) ?? {}
      for (const node of nodes) {
        await until(async () => (await node.client.status()).chain.blockTimeS >= timestamp + finalityS)
      }
    },
    async request(of, as = { keys, evidence }) {
      const { peerId } = await of.client.status()
      const request = {
        ...{ network: world.network, patient: patient.state.patient, grant: grantId },
        audience: peerIdFromString(peerId).toMultihash().bytes,
        issuedAtMs: Date.now(),
        nonce: osRandom(16),
        author: as.keys.bundle.sign,
        evidence: as.evidence
      }
      const authorization = signReadRequest(p, request, as.keys.signSeed)
      return encodeCustodyRequest({ rule: 'claim', authorization })
    }
  }
}
