/** What several bodies of the agent's API are made of. */
import { z } from '@hono/zod-openapi'
import { COMPARTMENTS } from '#core/record/compartment.ts'

/** 16 bytes. */
export const bytes16 = z.string().regex(/^0x[0-9a-f]{32}$/, 'expected 16 bytes as 0x and lower-case hexadecimal')
/** 32 bytes. */
export const bytes32 = z.string().regex(/^0x[0-9a-f]{64}$/, 'expected 32 bytes as 0x and lower-case hexadecimal')
/** An account. */
export const address = z.string().regex(/^0x[0-9a-f]{40}$/, 'expected an address as 0x and lower-case hexadecimal')
/** A passphrase. */
export const passphrase = z.string().min(1).max(1024)
/** A code as it was scanned or pasted. */
export const codeText = z.string().max(32_768)
/** Seconds. */
export const seconds = z
  .int()
  .min(0)
  .max(2 ** 40)
/** A right of a grant. */
export const right = z.enum(['read', 'write', 'history'])
/** A part of the record. */
export const compartment = z.enum(COMPARTMENTS)
/** A wallet elsewhere, which is asked over JSON-RPC. */
export const wallet = z.strictObject({ url: z.url().max(2048), address }).optional()

/** How something that was decided stands. */
export const progress = z.strictObject({ state: z.enum(['done', 'waiting']), code: z.string().nullable() })

/** A code to show: as one line, and in parts that each fit a QR code. */
export const shownCode = z.strictObject({ text: z.string(), parts: z.array(z.string()), check: z.string() })
