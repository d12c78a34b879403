/** Who signs requests to the chain: a key in the vault, or a wallet program that is asked over JSON-RPC. */
import { TypedDataEncoder, Wallet } from 'ethers'
import type { WalletReference } from '#core/agent/agent-state.ts'
import { fromHex, toHex } from '#core/encoding/bytes.ts'
import { SalusError } from '#core/error.ts'
import type { SignTypedData } from '#core/identity/key-binding.ts'

/** A wallet that signs typed data (EIP-712). */
export interface WalletSigner {
  /** 20 bytes. */
  readonly address: Uint8Array
  readonly signTypedData: SignTypedData
}

const ASK_TIMEOUT_MS = 120_000

/** The signer that a vault's entry refers to. */
export function openWallet(reference: WalletReference): WalletSigner {
  if (reference.kind === 'rpc') return rpcWallet(reference.url, reference.address)
  const wallet = new Wallet(toHex(reference.key))
  return {
    address: fromHex(wallet.address, 20),
    signTypedData: async (domain, types, value) => wallet.signTypedData(domain, types, value)
  }
}

/**
 * A wallet that answers `eth_signTypedData_v4`: a hardware wallet's bridge, a desktop wallet, a signing service. It shows the
 * person what is signed, for as long as two minutes.
 *
 * The signer throws SalusError `WALLET_UNREACHABLE`, `WALLET_REFUSED`.
 */
function rpcWallet(url: string, address: Uint8Array): WalletSigner {
  return {
    address,
    async signTypedData(domain, types, value) {
      const payload: unknown = TypedDataEncoder.getPayload(domain, types, value)
      const params = [toHex(address), payload]
      const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'eth_signTypedData_v4', params })
      const headers = { 'content-type': 'application/json' }
      let answer: { result?: unknown }
      try {
        const signal = AbortSignal.timeout(ASK_TIMEOUT_MS)
        answer = (await (await fetch(url, { method: 'POST', headers, body, signal })).json()) as { result?: unknown }
      } catch (cause) {
        throw new SalusError('WALLET_UNREACHABLE', 'The wallet does not answer; check that it runs.', { cause })
      }
      if (typeof answer.result !== 'string' || !/^0x(?:[0-9a-f]{2})+$/i.test(answer.result)) {
        throw new SalusError('WALLET_REFUSED', 'The wallet did not sign; look at what it says.')
      }
      return answer.result
    }
  }
}
