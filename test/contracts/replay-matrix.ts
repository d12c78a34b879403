import { expect } from 'chai'
import { Contract, Signature, concat, id, toBeHex } from 'ethers'
import type { TypedDataTypes } from '#core/abi/typed-data/domain.ts'
import { CONTRACT_INTERFACES } from '#node/chain/contract-errors.ts'
import type { RequestContract } from '#core/chain/contract-names.ts'
import type { TestChain } from '#test/contracts/chain.ts'
import type { Key } from '#test/contracts/keys.ts'
import { withHighS } from '#test/contracts/research-contracts.ts'
import type { Sent } from '#test/contracts/requests.ts'

const DAY_S = 86_400

/** A signed request, sent as it should be but for what one key signs. */
export interface Row {
  readonly name: string
  readonly contract: RequestContract
  readonly types: TypedDataTypes
  /** Whose signature is tried in every wrong place: an account's key. */
  readonly key: Key
  /** The error for a signature over anything else; `RequestSignatureInvalid` unless told. */
  readonly refused?: string
  /** The error for the same calldata a second time. */
  readonly once: string
  /** Carries the signature in one form only, as `r` and `vs`. */
  readonly isCompact?: true
  /** Makes what the request needs. */
  prepare(chain: TestChain): Promise<unknown>
  /** Sends the request with the clock of `chain`; `key` stands for the row's own. */
  send(chain: TestChain, key: Key): Sent
}

type Sign = Key['sign']

/** Another value of the same kind. */
function otherThan(value: unknown): unknown {
  if (Array.isArray(value)) return [...(value as unknown[]), ...(value as unknown[])]
  if (typeof value === 'boolean') return !value
  if (typeof value !== 'string') return BigInt(value as number) ^ 1n
  if (value.length === 66) return id(`not ${value}`)
  return `${value.slice(0, -1).toLowerCase()}${value.endsWith('0') ? '1' : '0'}`
}

/** Other domains, by what they differ in. */
const DOMAINS: Readonly<Record<string, (chain: TestChain, row: Row) => object>> = {
  'another chain': () => ({ chainId: 1 }),
  'the same contract at another address': (chain, { contract }) => {
    const name = contract === 'AccessGrants' ? 'BatchAnchors' : 'AccessGrants'
    return { verifyingContract: chain.deployment.contracts[name].address }
  },
  'another contract by name': (chain, { contract }) => ({
    name: chain.domainOf(contract === 'AccessGrants' ? 'BatchAnchors' : 'AccessGrants').name
  }),
  'another version': () => ({ version: '2' })
}

/** Other bytes that say the same, or nothing. */
const FORMS: Readonly<Record<string, (signature: string) => string>> = {
  'its high-s twin': withHighS,
  'its s turned over, v kept': signature => concat([withHighS(signature).slice(0, 130), `0x${signature.slice(130)}`]),
  'its EIP-2098 form': signature => Signature.from(signature).compactSerialized,
  'its bytes and one more': signature => `${signature}00`,
  'its bytes but one': signature => signature.slice(0, -2),
  'v of the old kind': signature =>
    `${signature.slice(0, -2)}${toBeHex(Signature.from(signature).yParity, 1).slice(2)}`,
  zeros: () => `0x${'00'.repeat(65)}`,
  nothing: () => '0x'
}

/** Tries one row in every wrong place; then once in the right one, and once more. */
export async function tryRow(chain: TestChain, row: Row): Promise<void> {
  const { key, contract, types, refused = 'RequestSignatureInvalid', once } = row
  const at = new Contract(chain.deployment.contracts[contract].address, CONTRACT_INTERFACES[contract])
  const by = (sign: Sign): Key => ({ ...key, sign })
  const expectRefusal = async (what: string, sent: Promise<unknown>, error: string): Promise<void> => {
    await expect(sent, `${row.name}: ${what}`).to.be.revertedWithCustomError(at, error)
  }
  await row.prepare(chain)

  for (const [what, change] of Object.entries(DOMAINS)) {
    const sign: Sign = (domain, struct, value) => key.sign({ ...domain, ...change(chain, row) }, struct, value)
    await expectRefusal(what, row.send(chain, by(sign)), refused)
  }
  for (const { name: field } of Object.values(types)[0] ?? []) {
    const sign: Sign = (domain, struct, value) =>
      key.sign(domain, struct, { ...value, [field]: otherThan(value[field]) })
    await expectRefusal(`another ${field}`, row.send(chain, by(sign)), refused)
  }
  for (const [what, reform] of Object.entries(row.isCompact ? {} : FORMS)) {
    const sign: Sign = async (...request) => reform(await key.sign(...request))
    await expectRefusal(what, row.send(chain, by(sign)), refused)
  }
  for (const [error, days] of [
    ['RequestExpired', -20],
    ['RequestDeadlineTooFar', 40]
  ] as const) {
    const shift = days * DAY_S
    const now = async (): Promise<number> => (await chain.now()) + shift
    const deadline = async (): Promise<number> => (await chain.deadline()) + shift
    await expectRefusal(error, row.send({ ...chain, now, deadline }, key), error)
  }
  const sent = await row.send(chain, key)
  await expectRefusal('a second time', chain.replay(sent), once)
}
