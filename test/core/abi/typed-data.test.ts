import { readFileSync } from 'node:fs'
import { expect } from 'chai'
import { TypedDataEncoder, Wallet } from 'ethers'
import * as typedData from '#core/abi/typed-data.ts'
import { CONTRACT_NAMES, type ContractName } from '#core/chain/deployment.ts'

interface Vectors {
  readonly chainId: number
  readonly addresses: Record<ContractName, string>
  readonly privateKey: string
  readonly requests: readonly {
    readonly contract: ContractName
    readonly primaryType: string
    readonly type: string
    readonly value: Record<string, unknown>
    readonly digest: string
    readonly signature: string
  }[]
}

const ROOT = new URL('../../../', import.meta.url)
const vectors = JSON.parse(readFileSync(new URL('test/vectors/signed-requests.json', ROOT), 'utf8')) as Vectors

/** The table whose struct has this name. */
function typesOf(struct: string): typedData.TypedDataTypes {
  const tables = Object.values(typedData).filter(value => typeof value !== 'function')
  const found = tables.find(table => Object.hasOwn(table, struct))
  if (found == null) throw new Error(`no table for ${struct}`)
  return found
}

describe('typed data of signed requests', () => {
  for (const { contract, primaryType, type, value, digest, signature } of vectors.requests) {
    it(`hashes and signs ${primaryType} as the vector says`, async () => {
      const types = typesOf(primaryType)
      const domain = typedData.domain(contract, vectors.chainId, vectors.addresses[contract])
      expect(TypedDataEncoder.from(types).encodeType(primaryType)).to.equal(type)
      expect(TypedDataEncoder.hash(domain, types, value)).to.equal(digest)
      expect(await new Wallet(vectors.privateKey).signTypedData(domain, types, value)).to.equal(signature)
    })

    it(`has the ${primaryType} that contract, interface and specification have`, () => {
      for (const path of [
        `contracts/${contract}.sol`,
        `contracts/interfaces/I${contract}.sol`,
        'docs/specs/contracts.md'
      ]) {
        expect(readFileSync(new URL(path, ROOT), 'utf8'), path).to.include(type)
      }
    })
  }

  it('has a vector for each type that a contract hashes', () => {
    const sources = CONTRACT_NAMES.map(name => readFileSync(new URL(`contracts/${name}.sol`, ROOT), 'utf8'))
    const hashed = sources.flatMap(source => [...source.matchAll(/"([A-Z]\w+)\(\w+ \w+/g)].map(match => match[1]))
    expect(hashed.sort()).to.deep.equal(vectors.requests.map(request => request.primaryType).sort())
  })
})
