/**
 * Signatures as they were handed to the chain. `FirmwareRegistry` checks them and keeps none, so a device takes them
 * from the calldata of the transaction that emitted the event; they prove themselves, so it does not matter who sent
 * the transaction or who hands it over (docs/specs/firmware-release.md).
 */
import { Interface, type Result, type TransactionDescription } from 'ethers'
import { firmwareRegistryAbi } from '#core/abi/FirmwareRegistry.ts'
import type { Hex } from '#core/chain/events.ts'
import { fromHex } from '#core/encoding/bytes.ts'
import { SalusError } from '#core/error.ts'
import type { Keyset } from '#core/firmware/keyset.ts'
import type { Approval, ReleaseTerms } from '#core/firmware/release.ts'

/** More than any publication takes: a manifest of 2 KiB and 16 signatures. */
const MAX_CALLDATA_BYTES = 65_536

/** What a transaction published. */
export interface Publication {
  readonly terms: ReleaseTerms
  readonly manifest: Uint8Array
  readonly approvals: readonly Approval[]
}

const registry = new Interface(firmwareRegistryAbi)

/**
 * Reads a call of `publish`.
 *
 * @throws SalusError `FIRMWARE_CALLDATA` if the transaction is no direct call of it
 */
export function readPublication(data: string): Publication {
  return readCall(data, 'publish', args => {
    const terms = args.getValue('terms') as Result
    return {
      terms: {
        model: hexOf(terms.getValue('model')),
        sequence: Number(terms.getValue('sequence')),
        securityCounter: Number(terms.getValue('securityCounter')),
        sizeBytes: Number(terms.getValue('sizeBytes')),
        imageSha256: hexOf(terms.getValue('imageSha256')),
        manifestDigest: hexOf(terms.getValue('manifestDigest')),
        deadline: terms.getValue('deadline') as bigint
      },
      manifest: fromHex(hexOf(args.getValue('manifest'))),
      approvals: Array.from(args.getValue('approvals') as Result, item => {
        const approval = item as Result
        return { index: Number(approval.getValue('index')), signature: hexOf(approval.getValue('signature')) }
      })
    }
  })
}

/**
 * Reads a call of `registerManufacturer`: the one place where a manufacturer's salt stands.
 *
 * @throws SalusError `FIRMWARE_CALLDATA` if the transaction is no direct call of it
 */
export function readRegistration(data: string): Keyset & { readonly salt: Hex } {
  return readCall(data, 'registerManufacturer', args => ({
    releaseSigners: Array.from(args.getValue('releaseSigners') as Result, hexOf),
    threshold: Number(args.getValue('threshold')),
    guards: Array.from(args.getValue('guards') as Result, hexOf),
    salt: hexOf(args.getValue('salt'))
  }))
}

function readCall<T>(data: string, name: string, read: (args: Result) => T): T {
  if (data.length <= 2 + 2 * MAX_CALLDATA_BYTES) {
    try {
      const call: TransactionDescription | null = registry.parseTransaction({ data })
      if (call?.name === name) return read(call.args)
    } catch (cause) {
      throw refused({ cause })
    }
  }
  throw refused()
}

function refused(options?: { cause: unknown }): SalusError {
  return new SalusError(
    'FIRMWARE_CALLDATA',
    'Refused: the transaction does not carry the maker’s signatures. It must call the registry directly.',
    options
  )
}

function hexOf(value: unknown): Hex {
  if (typeof value !== 'string' || !value.startsWith('0x')) throw new TypeError('expected hexadecimal')
  return value.toLowerCase() as Hex
}
