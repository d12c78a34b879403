import { expect } from 'chai'
import { Signature, concat, id, toBeHex, type BaseContract, type TypedDataDomain } from 'ethers'
import type { TypedDataTypes } from '#core/abi/typed-data/domain.ts'
import type { RequestContract } from '#core/chain/contract-names.ts'
import type { Contracts, TestChain } from '#test/contracts/chain.ts'
import type { Key } from '#test/contracts/keys.ts'
import type { Sent } from '#test/contracts/requests.ts'

/** Order of secp256k1: https://www.secg.org/sec2-v2.pdf, 2.4.1 */
const SECP256K1_N = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n
const DAY_S = 86_400

/** A request whose signature is to be tried in every wrong place. */
export interface Replayable {
  readonly name: string
  readonly contract: RequestContract
  contractOf(contracts: Contracts): BaseContract
  readonly types: TypedDataTypes
  /** An account's key: what it signs can be malleated. */
  readonly key: Key
  /** The error with which the same request is refused the second time. */
  readonly onceMore: string
  /** Makes what the request needs, and gives what is signed but the deadline. */
  prepare(chain: TestChain): Promise<Record<string, unknown>>
  /** Sends the true request with a signature that may be over something else. */
  submit(chain: TestChain, deadline: number, signature: string): Sent
}

/** Another value of the same kind. */
function otherThan(value: unknown): unknown {
  if (typeof value === 'string') return value.length === 66 ? id(`not ${value}`) : `${value.slice(0, -2)}00`
  return (value as number) + 1
}

/** What every signed request must withstand: another chain, contract, version, name, field, time, and a second time. */
export function describeReplays(chainOf: () => TestChain, request: Replayable): void {
  const { name, contract, types, key, onceMore } = request
  const refused = async (sent: Sent, error: string): Promise<void> => {
    await expect(sent).to.be.revertedWithCustomError(request.contractOf(chainOf().contracts), error)
  }
  const signed = async (special: {
    domain?: TypedDataDomain
    value?: Record<string, unknown>
    deadline?: number
  }): Promise<{ deadline: number; signature: string }> => {
    const chain = chainOf()
    const value = await request.prepare(chain)
    const deadline = special.deadline ?? (await chain.deadline())
    const domain = { ...chain.domainOf(contract), ...special.domain }
    return { deadline, signature: await key.sign(domain, types, { ...value, deadline, ...special.value }) }
  }

  describe(name, () => {
    for (const [what, domain] of Object.entries({
      'another chain': { chainId: 1 },
      'another contract': { verifyingContract: '0x00000000000000000000000000000000000000a1' },
      'another version': { version: '2' },
      'another contract by name': { name: 'Salus AccessGrants' }
    })) {
      it(`refuses a signature made for ${what}`, async () => {
        const { deadline, signature } = await signed({ domain })
        await refused(request.submit(chainOf(), deadline, signature), 'RequestSignatureInvalid')
      })
    }

    for (const { name: field } of Object.values(types)[0] ?? []) {
      it(`refuses a signature over another ${field}`, async () => {
        const chain = chainOf()
        const value = { ...(await request.prepare(chain)), deadline: await chain.deadline() } as Record<string, unknown>
        const { deadline } = value as { deadline: number }
        const signature = await key.sign(chain.domainOf(contract), types, {
          ...value,
          [field]: otherThan(value[field])
        })
        await refused(request.submit(chain, deadline, signature), 'RequestSignatureInvalid')
      })
    }

    it('refuses the high-s twin of a good signature, and bytes that are none', async () => {
      const { deadline, signature } = await signed({})
      const { r, s, v } = Signature.from(signature)
      const twin = concat([r, toBeHex(SECP256K1_N - BigInt(s), 32), v === 27 ? '0x1c' : '0x1b'])
      for (const bad of [twin, '0x', `0x${'00'.repeat(65)}`, `0x${'ff'.repeat(64)}`]) {
        await refused(request.submit(chainOf(), deadline, bad), 'RequestSignatureInvalid')
      }
    })

    it('refuses a request after its deadline, and one whose deadline is too far', async () => {
      const now = await chainOf().now()
      const late = await signed({ deadline: now - 1 })
      await refused(request.submit(chainOf(), late.deadline, late.signature), 'RequestExpired')
      const far = now + 31 * DAY_S
      await refused(request.submit(chainOf(), far, late.signature), 'RequestDeadlineTooFar')
    })

    it('takes a good signature once', async () => {
      const { deadline, signature } = await signed({})
      await request.submit(chainOf(), deadline, signature)
      await refused(request.submit(chainOf(), deadline, signature), onceMore)
    })
  })
}
