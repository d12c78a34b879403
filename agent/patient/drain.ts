/** Hands in the entries that wait in the outbox. */
import { isSalusError } from '#core/error.ts'
import type { Accounts } from '#agent/accounts.ts'
import type { AgentComponents } from '#agent/components.ts'
import { publishPacked, type OutgoingEntry } from '#agent/network/record.ts'
import type { Backups } from '#agent/patient/backups.ts'
import { isKnown } from '#agent/patient/refusals.ts'
import { resealEntry } from '#agent/patient/reseal.ts'

/** Hands in what waits; gives how many entries a node has not taken yet. */
export type Drain = () => Promise<number>

/** Makes the service. An entry that another device's change has made stale is sealed again. */
export function createDrain(
  components: AgentComponents & { readonly accounts: Accounts; readonly backups: Backups }
): Drain {
  const { node, keeper, outbox, backups, log } = components

  async function drain(): Promise<number> {
    const seed = keeper.state().deviceSeed
    let waiting = 0
    for (const name of await outbox.names()) {
      try {
        const entry = await outbox.read(seed, name)
        if (entry != null) await handIn(seed, entry)
      } catch (error) {
        if (!isSalusError(error)) throw error
        if (!isKnown(error)) {
          log.warn({ code: error.code }, 'an entry waits')
          waiting++
          continue
        }
      }
      await outbox.remove(name)
    }
    return waiting
  }

  async function handIn(seed: Uint8Array, entry: OutgoingEntry): Promise<void> {
    try {
      await publishPacked(node, entry)
    } catch (error) {
      if (!isSalusError(error, 'ENTRY_RETIRED')) throw error
      await backups.pull()
      const renewed = await resealEntry(components, entry)
      const name = await outbox.put(seed, renewed)
      await publishPacked(node, renewed)
      await outbox.remove(name)
    }
  }

  return drain
}
