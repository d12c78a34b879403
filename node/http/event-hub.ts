/** What happens at a node, told to many readers: a bounded ring of events, and a place in it for each reader. */
import type { Random } from '#core/crypto/primitives.ts'
import { toHex, utf8 } from '#core/encoding/bytes.ts'
import { SalusError } from '#core/error.ts'

/** Kinds of events; `block` is for everyone, the others for those who operate the node. */
export const TOPICS = ['block', 'accepted', 'peer', 'repair', 'alert'] as const

/** One of {@link TOPICS}. */
export type Topic = (typeof TOPICS)[number]

/** Values of an event: never a pseudonym, a grant or a CID. */
export type EventData = Readonly<Record<string, string | number | boolean>>

/** A reader. */
export interface ReaderInit {
  readonly topics: readonly Topic[]
  /** Id of the last event that the reader has. */
  readonly after?: string | undefined
  /** Whose reader it is, for the bound on readers of one. */
  readonly whose: string
  /** Asked before anything is sent: a token that ended ends its reader. */
  readonly mayRead: () => boolean
  /** Called once the hub has ended the reader, so that its connection ends however slow it is. */
  readonly ended: () => void
}

/** A hub. */
export interface EventHub {
  publish(topic: Topic, data: EventData): void
  /**
   * The events as `text/event-stream`, until the reader goes.
   *
   * @throws SalusError `EVENTS_BUSY`
   */
  open(reader: ReaderInit): ReadableStream<Uint8Array>
  readers(): number
  /** Ends every reader. */
  stop(): void
}

/** What a hub may be told. */
export interface EventHubInit {
  /** Events kept; a reader that is further behind is cut off. At least 16. */
  readonly kept: number
  readonly maxReaders: number
  /** Time between two signs of life, ms; 15,000 unless told. */
  readonly beatMs?: number
}

interface Kept {
  readonly seq: number
  readonly topic: Topic
  readonly text: string
}

interface Reader {
  /** The last event that was sent or passed over. */
  at: number
  owes: string
  readonly init: ReaderInit
  wake: (() => void) | undefined
  isOver: boolean
}

const MAX_OF_ONE = 16
/** Most characters handed to a connection at once. */
const MAX_CHUNK_LENGTH = 65_536
/** Time after which a browser comes back, ms. */
const RETRY_MS = 3_000

/** Makes a hub. */
export function createEventHub({ random }: { readonly random: Random }, init: EventHubInit): EventHub {
  const capacity = Math.max(16, init.kept)
  /** Ids of another process mean nothing here. */
  const boot = toHex(random(4)).slice(2)
  const ring: Kept[] = []
  const readers = new Set<Reader>()
  let last = 0
  let beating: NodeJS.Timeout | undefined

  const oldest = (): number => ring[0]?.seq ?? last + 1

  function end(reader: Reader): void {
    if (reader.isOver) return
    reader.isOver = true
    readers.delete(reader)
    reader.wake?.()
    reader.init.ended()
    if (readers.size === 0) {
      clearInterval(beating)
      beating = undefined
    }
  }

  function beat(): void {
    for (const reader of readers) {
      if (!reader.init.mayRead()) end(reader)
      else if (reader.owes === '') reader.owes = ': alive\n\n'
      reader.wake?.()
    }
  }

  /** The next text for a reader, empty where there is none yet. */
  function take(reader: Reader): string {
    let text = reader.owes
    reader.owes = ''
    for (let at = Math.max(0, reader.at + 1 - oldest()); at < ring.length && text.length < MAX_CHUNK_LENGTH; at++) {
      const event = ring[at]
      if (event == null) break
      reader.at = event.seq
      if (reader.init.topics.includes(event.topic)) text += event.text
    }
    return text
  }

  /** Where a reader goes on, and what it is told first. */
  function placeOf(after: string | undefined): { at: number; owes: string } {
    const hello = `retry: ${String(RETRY_MS)}\n\n`
    if (after == null) return { at: last, owes: hello }
    const [of, seq = ''] = after.split('-')
    const wanted = of === boot && /^\d{1,15}$/.test(seq) ? Number(seq) : -1
    if (wanted >= oldest() - 1 && wanted <= last) return { at: wanted, owes: hello }
    // What it missed is gone: it is told, and asks the API for how things stand.
    return { at: oldest() - 1, owes: `${hello}event: gap\ndata: {}\n\n` }
  }

  return {
    publish(topic, data) {
      const seq = ++last
      ring.push({ seq, topic, text: `id: ${boot}-${String(seq)}\nevent: ${topic}\ndata: ${JSON.stringify(data)}\n\n` })
      if (ring.length > capacity) ring.shift()
      for (const reader of readers) {
        if (reader.at < oldest() - 1) end(reader)
        else reader.wake?.()
      }
    },
    open(readerInit) {
      const ofOne = [...readers].filter(({ init: { whose } }) => whose === readerInit.whose).length
      if (readers.size >= init.maxReaders || ofOne >= MAX_OF_ONE) {
        throw new SalusError('EVENTS_BUSY', 'Too many readers of events; close one, or come back later.')
      }
      const reader: Reader = { ...placeOf(readerInit.after), init: readerInit, wake: undefined, isOver: false }
      readers.add(reader)
      beating ??= setInterval(beat, init.beatMs ?? 15_000).unref()
      return new ReadableStream<Uint8Array>(
        {
          async pull(controller) {
            for (;;) {
              if (!reader.isOver && !readerInit.mayRead()) end(reader)
              const text = reader.isOver ? '' : take(reader)
              if (text !== '') {
                controller.enqueue(utf8(text))
                return
              }
              if (reader.isOver) {
                controller.close()
                return
              }
              await new Promise<void>(resolve => {
                reader.wake = resolve
              })
              reader.wake = undefined
            }
          },
          cancel() {
            end(reader)
          }
        },
        // Nothing is taken out of the ring before the connection has room for it.
        { highWaterMark: 0 }
      )
    },
    readers: () => readers.size,
    stop() {
      for (const reader of readers) end(reader)
    }
  }
}
