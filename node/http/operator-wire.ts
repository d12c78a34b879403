/** Bodies of the routes for those who operate a node; see node/http/wire.ts. */
import { z } from '@hono/zod-openapi'
import { SCOPES } from '#node/auth/scopes.ts'
import { TOPICS } from '#node/http/event-hub.ts'

const address = z.string().regex(/^0x[0-9a-fA-F]{40}$/, 'expected an address as 0x and hexadecimal')
const scopes = z.array(z.enum(SCOPES)).min(1).max(SCOPES.length)
const label = z.string().regex(/^[\x20-\x7e]{0,64}$/, 'expected at most 64 plain characters')
const peerId = z
  .string()
  .max(128)
  .regex(/^[A-Za-z0-9]+$/, 'expected a peer id')

/** Asks for a text to sign. */
export const challengeRequest = z.strictObject({ address, scopes }).openapi('ChallengeRequest')

/** The text, in the form of EIP-4361. */
export const challengeAnswer = z.strictObject({ message: z.string(), expiresAtS: z.int() }).openapi('Challenge')

/** A signed text. */
export const signInRequest = z
  .strictObject({
    message: z.string().max(4096),
    signature: z.string().regex(/^0x(?:[0-9a-fA-F]{2}){1,4096}$/, 'expected 0x and hexadecimal'),
    label: label.optional()
  })
  .openapi('SignInRequest')

/** What a token is good for; the token itself is told once. */
export const tokenBody = z
  .strictObject({
    id: z.string(),
    holder: z.string(),
    label: z.string(),
    scopes: z.array(z.enum(SCOPES)),
    issuedAtS: z.int(),
    expiresAtS: z.int()
  })
  .openapi('Token')

/** A new token. */
export const issuedAnswer = z.strictObject({ token: z.string(), record: tokenBody }).openapi('IssuedToken')

/** Asks for a further token. */
export const mintRequest = z
  .strictObject({ scopes, lifetimeS: z.int().min(60).max(31_622_400), label: label.optional() })
  .openapi('TokenRequest')

/** The tokens that live. */
export const tokensAnswer = z.strictObject({ tokens: z.array(tokenBody) }).openapi('Tokens')

/** A token's id in a path. */
export const tokenParam = z.strictObject({ id: z.string().regex(/^[0-9a-f]{16}$/, 'expected the id of a token') })

/** The peers of a node. */
export const peersAnswer = z
  .strictObject({
    peers: z.array(
      z.strictObject({
        peerId: z.string(),
        addresses: z.array(z.string()),
        direction: z.enum(['inbound', 'outbound']),
        sinceMs: z.int(),
        encryption: z.string(),
        gossips: z.boolean()
      })
    )
  })
  .openapi('Peers')

/** A peer to connect with. */
export const connectRequest = z.strictObject({ address: z.string().min(1).max(1024) }).openapi('ConnectRequest')

/** The peer that was reached. */
export const connectAnswer = z.strictObject({ peerId: z.string() }).openapi('ConnectAnswer')

/** A peer's id in a path. */
export const peerParam = z.strictObject({ peerId })

/** Which events; all that the caller may see by default. */
export const eventsParam = z.strictObject({
  topics: z
    .string()
    .max(128)
    .regex(new RegExp(`^(?:${TOPICS.join('|')})(?:,(?:${TOPICS.join('|')}))*$`), 'expected topics parted by commas')
    .optional()
})

/** See {@link peersAnswer}. */
export type Peers = z.infer<typeof peersAnswer>
