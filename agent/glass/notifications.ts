/** What a person is told without having asked: kept until read, and for some time after. */
import { decodeCanonical, encodeCanonical } from '#core/encoding/canonical.ts'
import { readList, readMap, readText, readUint } from '#core/encoding/shape.ts'
import { readVersion } from '#core/encoding/version.ts'
import type { Clock } from '#core/crypto/primitives.ts'
import type { ShelfDocument, ShelfFormat } from '#agent/glass/shelf.ts'
import type { Log } from '#node/log.ts'

const AREA = 'NOTIFICATIONS'
const MAX_NOTIFICATIONS = 4_096
const MAX_BYTES = 4 << 20

/** Kinds of notifications. */
export const NOTIFICATION_KINDS = [
  'emergency-declared',
  'emergency-over',
  'emergency-reviewed',
  'emergency-without-network',
  'keys-replaced',
  'alarm-opened',
  'alarm-refused',
  'alarm-retracted',
  'access-given'
] as const

/** One thing to be told. */
export interface Notification {
  /** Counts from 1. */
  readonly number: number
  readonly kind: (typeof NOTIFICATION_KINDS)[number]
  /** Whom it is about: the person's own record, or one that is watched; `0x…`. */
  readonly patient: string
  /** What it is about; `0x…`. */
  readonly subject: string
  /** Milliseconds since 1970-01-01, by this device's clock. */
  readonly atMs: number
}

/** The file. */
export const notificationsFormat: ShelfFormat<readonly Notification[]> = {
  name: 'notifications',
  encode: notifications => encodeCanonical({ v: 1, notifications: notifications.map(each => ({ ...each })) }),
  decode(bytes) {
    if (bytes == null) return []
    const value = decodeCanonical(bytes, { area: AREA, maxBytes: MAX_BYTES })
    readVersion(value, AREA)
    const map = readMap(value, AREA, ['v', 'notifications'])
    return readList(map['notifications'], AREA, 'notifications', MAX_NOTIFICATIONS, item => {
      const { number, kind, patient, subject, atMs } = readMap(item, AREA, [
        'number',
        'kind',
        'patient',
        'subject',
        'atMs'
      ])
      return {
        number: readUint(number, AREA, 'number'),
        kind: readText(kind, AREA, 'kind', 32) as Notification['kind'],
        patient: readText(patient, AREA, 'patient', 66),
        subject: readText(subject, AREA, 'subject', 66),
        atMs: readUint(atMs, AREA, 'atMs')
      }
    })
  }
}

/** Tells something once; whether it was new. */
export async function notify(
  shelf: ShelfDocument<readonly Notification[]>,
  told: Omit<Notification, 'number'>
): Promise<boolean> {
  let isNew = false
  await shelf.update(all => {
    isNew = !all.some(
      ({ kind, patient, subject }) => kind === told.kind && patient === told.patient && subject === told.subject
    )
    const number = (all.at(-1)?.number ?? 0) + 1
    return isNew ? [...all.slice(-(MAX_NOTIFICATIONS - 1)), { number, ...told }] : all
  })
  return isNew
}

/** Tells something once, of now; what it is about stays out of the log. */
export async function sayOnce(
  {
    shelf,
    clock,
    log
  }: {
    readonly shelf: { readonly notifications: ShelfDocument<readonly Notification[]> }
    readonly clock: Clock
    readonly log: Log
  },
  kind: Notification['kind'],
  about: Pick<Notification, 'patient' | 'subject'>
): Promise<void> {
  if (await notify(shelf.notifications, { kind, ...about, atMs: clock() })) log.info({ kind }, 'a notification')
}
