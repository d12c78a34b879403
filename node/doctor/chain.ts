/** The chain as the node sees it: endpoints, their chain and clock, the contracts, the relayer's account. */
import { formatEther, type Wallet } from 'ethers'
import type { Deployment } from '#core/chain/deployment.ts'
import { isSalusError } from '#core/error.ts'
import { createChainRpc, createProvider, type ChainRpc } from '#node/chain/chain-rpc.ts'
import { fail, ok, warn, type Finding } from '#node/doctor/finding.ts'

const TIMEOUT_MS = 5_000
/** Blocks that one endpoint may be behind another. */
const MAX_BEHIND = 5
/** Seconds that the newest block may be old, and the clock may be wrong. */
const MAX_AGE_S = 120
const MAX_AHEAD_S = 15
/** Below this the relayer's account is low, in wei. */
const LOW_WEI = 10n ** 17n

/** An endpoint's answers. */
interface Asked {
  readonly name: string
  readonly headNumber: number
  readonly timeS: number
}

/** Looks at every endpoint. @param nowMs - of this machine's clock */
export async function checkChain(
  urls: readonly string[],
  deployment: Deployment,
  nowMs: number
): Promise<readonly Finding[]> {
  const findings: Finding[] = []
  const asked: Asked[] = []
  for (const [index, url] of urls.entries()) {
    // The rest of an address may be a key.
    const name = `endpoint ${String(index + 1)} (${new URL(url).host})`
    const provider = createProvider(url, deployment.chainId, TIMEOUT_MS)
    try {
      const found = await checkEndpoint(name, createChainRpc(provider), deployment)
      findings.push(...found.findings)
      if (found.asked != null) asked.push(found.asked)
    } finally {
      provider.destroy()
    }
  }
  return [...findings, ...compare(asked, nowMs)]
}

async function checkEndpoint(
  name: string,
  rpc: ChainRpc,
  deployment: Deployment
): Promise<{ findings: Finding[]; asked?: Asked }> {
  try {
    const chainId = await rpc.chainId()
    if (chainId !== deployment.chainId) {
      const says = `It is of chain ${String(chainId)}, the deployment of chain ${String(deployment.chainId)}.`
      return { findings: [fail(name, says, 'Correct chain.rpc or deployment.')] }
    }
    const headNumber = await rpc.headNumber()
    const header = await rpc.header(headNumber)
    if (header == null)
      return { findings: [fail(name, 'It has not the newest block that it speaks of.', 'Use another endpoint.')] }
    const missing: string[] = []
    for (const [contract, { address, codeHash }] of Object.entries(deployment.contracts)) {
      if ((await rpc.codeHash(address)) !== codeHash) missing.push(contract)
    }
    const contracts =
      missing.length === 0
        ? ok(
            'contracts',
            `All ${String(Object.keys(deployment.contracts).length)} are there with the code of the deployment.`
          )
        : fail(
            'contracts',
            `${missing.join(', ')} is not at its address, or has other code.`,
            'Use the deployment file of this network.'
          )
    const asked = { name, headNumber, timeS: header.timeS }
    return { findings: [ok(name, `It answers; its newest block is ${String(headNumber)}.`), contracts], asked }
  } catch (error) {
    const says = isSalusError(error, 'CHAIN_RPC_FAILED')
      ? 'It answers with an error.'
      : 'It does not answer within five seconds.'
    return { findings: [fail(name, says, 'Check the address, the way to it (firewall, TLS) and that it runs.')] }
  }
}

/** What the endpoints say of each other and of the clock. */
export function compare(asked: readonly Asked[], nowMs: number): readonly Finding[] {
  const newest = Math.max(...asked.map(({ headNumber }) => headNumber))
  const behind = asked
    .filter(({ headNumber }) => newest - headNumber > MAX_BEHIND)
    .map(({ name, headNumber }) =>
      warn(
        name,
        `It is ${String(newest - headNumber)} blocks behind another endpoint.`,
        'Wait for it, or put another first.'
      )
    )
  if (asked.length === 0) return behind
  const ageS = Math.round(nowMs / 1000 - Math.max(...asked.map(({ timeS }) => timeS)))
  if (ageS < -MAX_AHEAD_S) {
    const says = `This machine's clock is ${String(-ageS)} s behind the chain's newest block.`
    return [...behind, fail('clock', says, 'Set the clock and keep it right with NTP (timedatectl set-ntp true).')]
  }
  if (ageS > MAX_AGE_S) {
    const says = `The chain's newest block is ${String(ageS)} s old: the chain stands, or this machine's clock is ahead.`
    return [
      ...behind,
      warn('clock', says, 'Compare the clock with another (chronyc tracking); ask who runs the chain.')
    ]
  }
  return [...behind, ok('clock', `It agrees with the chain: the newest block is ${String(ageS)} s old.`)]
}

/** Looks at the account that pays. @param key - of the account, where one is configured */
export async function checkRelayer(url: string, chainId: number, key: Wallet | undefined): Promise<Finding> {
  const check = 'relayer'
  if (key == null) return ok(check, 'None is configured: the node pays for nobody.')
  const provider = createProvider(url, chainId, TIMEOUT_MS)
  try {
    const wei = await provider.getBalance(key.address)
    const says = `${key.address} has ${formatEther(wei)} ether.`
    if (wei === 0n) return fail(check, says, 'Send it some: until then the node relays nothing (RELAY_NO_FUNDS).')
    return wei < LOW_WEI ? warn(check, says, 'Send it some soon.') : ok(check, says)
  } catch {
    return warn(check, 'Its balance could not be asked.', 'Mend the endpoint first.')
  } finally {
    provider.destroy()
  }
}
