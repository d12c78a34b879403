import { auditedSharing } from '#core/crypto/secret-sharing.ts'
import type { SharingTools } from '#core/custody/share-out.ts'
import { nativePrimitives as p } from '#node/crypto/native.ts'
import { osRandom } from '#scripts/story/people.ts'

/** What sharing out takes, by the audited library and the operating system's randomness. */
export const tools: SharingTools = { p, random: osRandom, sharing: auditedSharing }
