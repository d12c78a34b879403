import { readFileSync } from 'node:fs'
import { expect } from 'chai'
import { getBytes, type ParamType } from 'ethers'
import { REQUEST_CONTRACTS } from '#core/chain/contract-names.ts'
import { CONTRACT_INTERFACES } from '#node/chain/contract-errors.ts'

/** Opcodes by which code could be exchanged, ended, or speak in another's name. */
const FORBIDDEN: Readonly<Record<number, string>> = { 0xf2: 'CALLCODE', 0xf4: 'DELEGATECALL', 0xff: 'SELFDESTRUCT' }
const [PUSH1, PUSH32] = [0x60, 0x7f]
/** Names of what no contract here may have: forwarding, batching calls, owners, proxies, ways to pass an access on. */
const UNWANTED = /multicall|forwarder|owner|upgrade|initialize|delegate|^transfer|^approve|setApproval/i
/** Bytes of any length that a call may carry: keys, signatures and proofs, a manifest of firmware, a share under encryption. */
const LONG =
  /^bytes (signer|newSigner|signers|holder|signature|newSignature|acceptance|researcher|nodeProof|manifest|share)$/

/** The opcodes of code, without the data that is pushed. */
function* opcodesOf(code: Uint8Array): Generator<number> {
  for (let at = 0; at < code.length; at++) {
    const opcode = code[at]!
    yield opcode
    if (opcode >= PUSH1 && opcode <= PUSH32) at += opcode - PUSH1 + 1
  }
}

/** The parameters of any length among these, as `type name`, also inside structs and arrays. */
function longOnes(inputs: readonly ParamType[]): string[] {
  return inputs.flatMap(({ baseType, components, arrayChildren, type, name }) => {
    const inside = components ?? arrayChildren?.components
    if (inside != null) return longOnes(inside)
    const each = baseType === 'array' ? arrayChildren?.type : type
    return each === 'bytes' || each === 'string' ? [`${each} ${name}`] : []
  })
}

describe('what the contracts can be called for', () => {
  it('is seen by these tests', () => {
    const inputs = CONTRACT_INTERFACES.FirmwareRegistry.getFunction('publish')?.inputs ?? []
    expect(longOnes(inputs)).to.include.members(['bytes manifest', 'bytes signer', 'bytes signature'])
    expect([...opcodesOf(getBytes('0x61f4f4f400'))]).to.deep.equal([0x61, 0xf4, 0x00])
  })

  for (const name of REQUEST_CONTRACTS) {
    it(`has no forwarder, multicall, owner or proxy in ${name}, and takes no money`, () => {
      const names: string[] = []
      CONTRACT_INTERFACES[name].forEachFunction(each => {
        names.push(each.name)
        expect(each.payable, each.name).to.equal(false)
      })
      expect(names).to.have.length.above(0)
      expect(names.filter(each => UNWANTED.test(each))).to.deep.equal([])
      const { fallback, receive } = CONTRACT_INTERFACES[name]
      expect([fallback, receive]).to.deep.equal([null, false])
    })

    it(`runs no other code as ${name}, which nobody can end`, () => {
      const path = new URL(`../../contracts/bytecode/${name}.json`, import.meta.url)
      const { creationCode } = JSON.parse(readFileSync(path, 'utf8')) as { creationCode: string }
      const found = new Set([...opcodesOf(getBytes(creationCode))].flatMap(opcode => FORBIDDEN[opcode] ?? []))
      expect([...found]).to.deep.equal([])
    })

    it(`takes digests, keys, proofs and numbers in ${name}, and no text`, () => {
      CONTRACT_INTERFACES[name].forEachFunction(({ name: method, inputs, constant }) => {
        if (constant) return
        for (const input of longOnes(inputs)) expect(input, method).to.match(LONG)
      })
    })
  }
})
