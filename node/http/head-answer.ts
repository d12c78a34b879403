/** Where a record stands, for those who keep a copy of it (docs/specs/data-access.md). */
import { base64url } from 'multiformats/bases/base64'
import { equalBytes } from '#core/encoding/bytes.ts'
import { decodeMessage } from '#core/network/envelope.ts'
import type { HttpComponents } from '#node/http/components.ts'
import { readBase64url } from '#node/http/record-answers.ts'
import type { HeadAnswer } from '#node/http/wire.ts'

/** Most questions that wait at once; further ones are answered as things stand. */
const MAX_WAITING = 1_000
/** Messages that are looked at together for the newest entry among them. */
const PAGE = 32

interface HeadQuestion {
  readonly authorization: string
  readonly after?: number | undefined
  readonly waitMs?: number | undefined
}

let waiting = 0

/**
 * The newest entry of a record, without slot or blob: nothing that opens anything leaves, so no receipt is written.
 *
 * @param gone - aborted when nobody waits for the answer any more
 * @throws SalusError the codes of `ReadGuard.admit`
 */
export async function answerHead(
  { guard, messages, onAccepted }: Pick<HttpComponents, 'guard' | 'messages' | 'onAccepted'>,
  { authorization, after = 0, waitMs = 0 }: HeadQuestion,
  gone: AbortSignal
): Promise<HeadAnswer> {
  const { network, patient } = guard.admit(readBase64url(authorization))

  async function head(): Promise<HeadAnswer['head']> {
    for (let before: number | undefined = Number.MAX_SAFE_INTEGER; before != null;) {
      const records = await messages.newestByPatient(patient, before, PAGE)
      for (const { position, bytes } of records) {
        const message = decodeMessage(bytes, network)
        if (message.kind === 'entry') return { position, header: base64url.baseEncode(message.header) }
      }
      before = records.at(-1)?.position
    }
    return null
  }

  const isLater = (found: HeadAnswer['head']): boolean => (found?.position ?? 0) > after
  if (waitMs === 0 || waiting >= MAX_WAITING) return { head: await head() }
  const end = AbortSignal.any([gone, AbortSignal.timeout(waitMs)])
  waiting++
  let wake: (() => void) | undefined
  // Before the first look: what comes in between is not missed.
  const stop = onAccepted(whose => {
    if (equalBytes(whose, patient)) wake?.()
  })
  try {
    for (;;) {
      const woken = new Promise<void>(resolve => {
        wake = resolve
        end.addEventListener('abort', () => resolve(), { once: true })
      })
      const found = await head()
      if (isLater(found) || end.aborted) return { head: found }
      await woken
    }
  } finally {
    stop()
    waiting--
  }
}
