/** The packages that an agent keeps for emergencies without a network, with what the chain said when there was one. */
import type { GrantInRecord, PatientBundle } from '#core/agent/record-on-chain.ts'
import { decodeCanonical, encodeCanonical } from '#core/encoding/canonical.ts'
import { fromHex, toHex } from '#core/encoding/bytes.ts'
import { readBytes, readList, readMap, readUint } from '#core/encoding/shape.ts'
import { readVersion } from '#core/encoding/version.ts'
import { MAX_PACKAGE_BYTES } from '#core/custody/emergency-package.ts'
import type { ShelfFormat } from '#agent/glass/shelf.ts'

const AREA = 'KEPT_PACKAGES'
const MAX_KEPT = 64
const MAX_BYTES = 256 << 20
const MAX_ON_CHAIN = 65_536

/** A package that is kept. */
export interface KeptPackage {
  readonly patient: Uint8Array
  /** Encoded package (core/custody/emergency-package.ts). */
  readonly bytes: Uint8Array
  /** This person's newest credential at that time, 32 bytes; empty if there was none. */
  readonly credential: Uint8Array
  /** Who might write into the record then. */
  readonly keyBundles: readonly PatientBundle[]
  readonly grants: readonly GrantInRecord[]
}

/** The file. */
export const keptPackagesFormat: ShelfFormat<readonly KeptPackage[]> = {
  name: 'packages',
  encode: kept => encodeCanonical({ v: 1, kept: kept.slice(-MAX_KEPT).map(fieldsOf) }),
  decode(bytes) {
    if (bytes == null) return []
    const value = decodeCanonical(bytes, { area: AREA, maxBytes: MAX_BYTES })
    readVersion(value, AREA)
    const { kept } = readMap(value, AREA, ['v', 'kept'])
    return readList(kept, AREA, 'kept', MAX_KEPT, readKept)
  }
}

function fieldsOf({ keyBundles, grants, ...rest }: KeptPackage) {
  return {
    ...rest,
    keyBundles: keyBundles.map(({ digest, namedAtS = 0, replacedAtS }) => ({ digest, namedAtS, replacedAtS })),
    grants: grants.map(({ grantId, terms, givenAtS = 0, revokedAtS = null }) => ({
      ...{ grantId, givenAtS, revokedAtS },
      terms: fromHex(`0x${terms.toString(16).padStart(64, '0')}`, 32)
    }))
  }
}

function readKept(value: unknown): KeptPackage {
  const map = readMap(value, AREA, ['patient', 'bytes', 'credential', 'keyBundles', 'grants'])
  return {
    patient: readBytes(map['patient'], AREA, 'patient', 32),
    bytes: readBytes(map['bytes'], AREA, 'bytes', { min: 1, max: MAX_PACKAGE_BYTES }),
    credential: readBytes(map['credential'], AREA, 'credential', { min: 0, max: 32 }),
    keyBundles: readList(map['keyBundles'], AREA, 'keyBundles', MAX_ON_CHAIN, item => {
      const { digest, namedAtS, replacedAtS } = readMap(item, AREA, ['digest', 'namedAtS', 'replacedAtS'])
      return {
        digest: readBytes(digest, AREA, 'digest', 32),
        namedAtS: readUint(namedAtS, AREA, 'namedAtS'),
        replacedAtS: readTime(replacedAtS)
      }
    }),
    grants: readList(map['grants'], AREA, 'grants', MAX_ON_CHAIN, item => {
      const { grantId, terms, givenAtS, revokedAtS } = readMap(item, AREA, [
        ...['grantId', 'terms', 'givenAtS', 'revokedAtS']
      ])
      return {
        grantId: readBytes(grantId, AREA, 'grantId', 32),
        terms: BigInt(toHex(readBytes(terms, AREA, 'terms', 32))),
        givenAtS: readUint(givenAtS, AREA, 'givenAtS'),
        revokedAtS: readTime(revokedAtS)
      }
    })
  }
}

function readTime(value: unknown): number | null {
  return value === null ? null : readUint(value, AREA, 'time')
}
