/**
 * A custodian in a process of its own that dies, as by a power cut, in the moment between the receipt and the release. Arguments: the
 * folder of its database. Reads one JSON line: what the chain says, the share and the request.
 */
import { createInterface } from 'node:readline'
import { fromHex, toHex } from '#core/encoding/bytes.ts'
import type { ChainEvent } from '#core/chain/events.ts'
import { osRandom } from '#scripts/story/people.ts'
import { openPaperCustodian } from '#test/node/custody/paper-custodian.ts'

/** What the parent says. */
export interface Order {
  readonly events: readonly (Omit<ChainEvent, 'terms'> & { readonly terms?: string })[]
  readonly timeS: number
  readonly share: string
  readonly request: string
  /** Whether to die before the release. */
  readonly dies: boolean
}

const [, , folder = ''] = process.argv
for await (const line of createInterface({ input: process.stdin })) {
  const order = JSON.parse(line) as Order
  const seen: { receipts?: number } = {}
  const paper = await openPaperCustodian(folder, {
    events: order.events.map(({ terms, ...event }) =>
      terms == null ? event : { ...event, terms: BigInt(terms) }
    ) as ChainEvent[],
    timeS: order.timeS,
    random: length => {
      // The first randomness that is drawn after a receipt came to the disk is that of the release.
      if (order.dies && seen.receipts != null && paper.receipts().size() > seen.receipts)
        process.kill(process.pid, 'SIGKILL')
      return osRandom(length)
    }
  })
  await paper.custodian.keep(fromHex(order.share))
  seen.receipts = paper.receipts().size()
  const answer = await paper.custodian.release(fromHex(order.request))
  console.log(JSON.stringify({ answer: toHex(answer), receipts: paper.receipts().size() }))
  await paper.close()
  break
}
