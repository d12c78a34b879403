/** What a transaction asks a contract for, field by field. */
import { Interface, type InterfaceAbi, type ParamType, type Result } from 'ethers'
import { CONTRACT_NAMES } from '#core/chain/contract-names.ts'
import type { Deployment } from '#core/chain/deployment.ts'
import type { SeenTransaction } from '#scripts/observer/observe.ts'

/** A field of a call, wherever in a struct or list it stands. */
export interface Field {
  readonly name: string
  readonly type: string
  readonly value: unknown
}

/** Gives the fields of a call; none if nobody knows the contract or the function. */
export type Decoder = (transaction: SeenTransaction) => Field[]

/** Decodes calls of a deployment's contracts. */
export async function openDecoder({ contracts }: Deployment): Promise<Decoder> {
  const interfaces = new Map<string, Interface>()
  for (const name of CONTRACT_NAMES) {
    if (name.startsWith('ERC7913')) continue
    const [abi] = Object.values((await import(`#core/abi/${name}.ts`)) as Record<string, InterfaceAbi>)
    interfaces.set(contracts[name].address.toLowerCase(), new Interface(abi ?? []))
  }
  return ({ to, parts }) => {
    const calldata = parts.find(({ place }) => place === 'calldata')?.bytes ?? new Uint8Array()
    const data = `0x${Buffer.from(calldata).toString('hex')}`
    try {
      const call = interfaces.get(to?.toLowerCase() ?? '')?.parseTransaction({ data })
      return call == null ? [] : fieldsOf(call.fragment.inputs, call.args)
    } catch {
      // Anybody can send what no contract can read; it is searched as bytes all the same.
      return []
    }
  }
}

function fieldsOf(types: readonly ParamType[], values: Result): Field[] {
  return types.flatMap((type, index) => fieldOf(type, values[index], type.name))
}

function fieldOf(type: ParamType, value: unknown, name: string): Field[] {
  if (type.isArray()) return (value as Result).toArray().flatMap(each => fieldOf(type.arrayChildren, each, name))
  if (type.isTuple()) return fieldsOf(type.components, value as Result)
  return [{ name, type: type.type, value }]
}
