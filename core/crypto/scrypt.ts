/** The work that scrypt is made to do (RFC 7914): memory is `128 · 2^logN · r` bytes. */
export interface ScryptCost {
  readonly logN: number
  readonly r: number
  readonly p: number
}

/** scrypt of a passphrase's bytes, 32 bytes long: `node/crypto/native-scrypt.ts`, or the portable one. */
export type Stretch = (passphrase: Uint8Array, salt: Uint8Array, cost: ScryptCost) => Promise<Uint8Array>
