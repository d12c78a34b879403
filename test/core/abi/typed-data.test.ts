import { readdirSync, readFileSync } from 'node:fs'
import { expect } from 'chai'
import { TypedDataEncoder, Wallet } from 'ethers'
import * as anchors from '#core/abi/typed-data/anchors.ts'
import { domain, type TypedDataTypes } from '#core/abi/typed-data/domain.ts'
import * as firmware from '#core/abi/typed-data/firmware.ts'
import * as grants from '#core/abi/typed-data/grants.ts'
import * as patients from '#core/abi/typed-data/patients.ts'
import * as recovery from '#core/abi/typed-data/recovery.ts'
import type { RequestContract } from '#core/chain/contract-names.ts'

interface Vectors {
  readonly chainId: number
  readonly addresses: Record<RequestContract, string>
  readonly privateKey: string
  readonly requests: readonly {
    readonly contract: RequestContract
    readonly primaryType: string
    readonly type: string
    readonly value: Record<string, unknown>
    readonly digest: string
    readonly signature: string
  }[]
}

const ROOT = new URL('../../../', import.meta.url)
const vectors = JSON.parse(readFileSync(new URL('test/vectors/signed-requests.json', ROOT), 'utf8')) as Vectors

const TABLES: readonly TypedDataTypes[] = [anchors, firmware, grants, patients, recovery].flatMap(each => Object.values(each))

/** The table whose struct has this name. */
function typesOf(struct: string): TypedDataTypes {
  const found = TABLES.find(table => Object.hasOwn(table, struct))
  if (found == null) throw new Error(`no table for ${struct}`)
  return found
}

/** All files of a folder whose names match, in one text. */
function textOf(folder: string, name: RegExp): string {
  const files = readdirSync(new URL(folder, ROOT)).filter(file => name.test(file))
  return files.map(file => readFileSync(new URL(`${folder}${file}`, ROOT), 'utf8')).join('\n')
}

const SOURCES = textOf('contracts/', /\.sol$/) + textOf('contracts/libraries/', /\.sol$/)
const PLACES: Readonly<Record<string, string>> = {
  contracts: SOURCES,
  interfaces: textOf('contracts/interfaces/', /\.sol$/),
  specification: textOf('docs/specs/', /^contracts.*\.md$/)
}

describe('typed data of signed requests', () => {
  for (const { contract, primaryType, type, value, digest, signature } of vectors.requests) {
    it(`hashes and signs ${primaryType} as the vector says`, async () => {
      const types = typesOf(primaryType)
      const where = domain(contract, vectors.chainId, vectors.addresses[contract])
      expect(TypedDataEncoder.from(types).encodeType(primaryType)).to.equal(type)
      expect(TypedDataEncoder.hash(where, types, value)).to.equal(digest)
      expect(await new Wallet(vectors.privateKey).signTypedData(where, types, value)).to.equal(signature)
    })

    it(`has the ${primaryType} that contract, interface and specification have`, () => {
      for (const [place, text] of Object.entries(PLACES)) expect(text, place).to.include(type)
    })
  }

  it('has a vector for each type that a contract hashes', () => {
    const hashed = [...SOURCES.matchAll(/"([A-Z]\w+)\(\w+ \w+/g)].map(match => match[1])
    // A struct within another is hashed on its own, too, and stands in the type of the outer one.
    const inVectors = vectors.requests.flatMap(({ type }) => [...type.matchAll(/(\w+)\(/g)].map(match => match[1]))
    expect(new Set(hashed)).to.deep.equal(new Set(inVectors))
  })
})
