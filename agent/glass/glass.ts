/** Emergencies, put together: what a responder, a patient and those who look after one need of an agent. */
import { join } from 'node:path'
import type { Accounts } from '#agent/accounts.ts'
import type { AgentComponents } from '#agent/components.ts'
import { heldEmergenciesFormat, type HeldEmergency } from '#agent/glass/held-emergencies.ts'
import { keptPackagesFormat, type KeptPackage } from '#agent/glass/kept-packages.ts'
import { notificationsFormat, type Notification } from '#agent/glass/notifications.ts'
import { preparationFormat, type Preparation } from '#agent/glass/prepared.ts'
import { seenFormat, type Seen } from '#agent/glass/seen.ts'
import { createShelfDocument, type ShelfDocument, type ShelfFormat } from '#agent/glass/shelf.ts'
import { standingFormat, type Standing } from '#agent/glass/standing-shelf.ts'
import type { Backups } from '#agent/patient/backups.ts'
import type { Operations } from '#agent/patient/operations.ts'

/** What is kept on this device for emergencies. */
export interface GlassShelf {
  readonly emergencies: ShelfDocument<readonly HeldEmergency[]>
  readonly notifications: ShelfDocument<readonly Notification[]>
  readonly preparation: ShelfDocument<Preparation | null>
  readonly seen: ShelfDocument<Seen>
  readonly standing: ShelfDocument<Standing>
  readonly packages: ShelfDocument<readonly KeptPackage[]>
}

/** What dealing with emergencies needs. */
export interface GlassComponents extends AgentComponents {
  readonly accounts: Accounts
  readonly operations: Operations
  readonly backups: Backups
  readonly shelf: GlassShelf
}

/** Opens the shelf in a folder; nothing is read before it is asked for. */
export function createGlassShelf(
  components: Pick<AgentComponents, 'p' | 'random' | 'keeper'>,
  { folder }: { readonly folder: string }
): GlassShelf {
  const open = <T>(format: ShelfFormat<T>): ShelfDocument<T> =>
    createShelfDocument(components, join(folder, 'shelf'), format)
  return {
    emergencies: open(heldEmergenciesFormat),
    notifications: open(notificationsFormat),
    preparation: open(preparationFormat),
    seen: open(seenFormat),
    standing: open(standingFormat),
    packages: open(keptPackagesFormat)
  }
}
