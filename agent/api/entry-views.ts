/** Entries with all their revisions, in the words of the API. */
import type { z } from '@hono/zod-openapi'
import { toHex } from '#core/encoding/bytes.ts'
import type { ReadEntry, ReadRevision } from '#core/log/view.ts'
import type { entryBody } from '#agent/api/entry-wire.ts'
import type { RecordEntry } from '#agent/record-index.ts'

type EntryBody = z.infer<typeof entryBody>

const DAY_MS = 86_400_000
/** What is short enough to be shown in place. */
const MAX_TEXT_BYTES = 4096

/** An entry. */
export function readEntryView({ compartment, read, comments }: RecordEntry): EntryBody {
  const { entry, status, standing, proposed, originals, history } = read
  return {
    entry,
    status,
    compartment,
    standing: standing.map(revisionView),
    proposed: proposed.map(revisionView),
    originals: originals.map(revisionView),
    history: history.map(revisionView),
    comments: comments.map(commentView)
  }
}

function commentView({ entry, status, standing, history }: ReadEntry): EntryBody['comments'][number] {
  return { entry, status, standing: standing.map(revisionView), history: history.map(revisionView) }
}

function revisionView({ node, act, reason, about, content, code }: ReadRevision): EntryBody['history'][number] {
  const { item, author } = node
  const isText = content?.type.startsWith('text/') === true && content.body.length <= MAX_TEXT_BYTES
  return {
    header: item.name,
    revision: item.revision,
    day: new Date(item.day * DAY_MS).toISOString().slice(0, 10),
    author:
      author?.kind === 'grantee'
        ? { kind: 'grantee', address: toHex(author.address), grant: toHex(author.grantId) }
        : { kind: 'patient', address: null, grant: null },
    act,
    reason,
    about,
    type: content?.type ?? null,
    recordedAtMs: content?.recordedAtMs ?? null,
    bodyBytes: content?.body.length ?? null,
    text: isText ? new TextDecoder().decode(content.body) : null,
    code
  }
}
