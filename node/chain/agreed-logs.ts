/** Logs that no receipts prove: believed where other endpoints give the same ones (docs/specs/chain-index.md). */
import { judge, type Answer, type Verdict } from '#core/chain/agreement.ts'
import { SalusError } from '#core/error.ts'
import { forgedLogs, type BlockLogs, type LogReader } from '#node/chain/block-logs.ts'
import { disputed, type Leads, type Source } from '#node/chain/chain-lead.ts'
import type { BlockHeader, ChainRpc, PlacedLog } from '#node/chain/chain-rpc.ts'

/** Logs that are believed, and on whose word alone; none where they are proven or others gave the same. */
export interface BelievedLogs {
  readonly logs: readonly PlacedLog[]
  readonly wordOf?: string | undefined
}

/** Compares logs. */
export interface AgreedLogs {
  /**
   * The logs of a block that is agreed on.
   *
   * @throws SalusError `CHAIN_LOGS_FORGED`, `CHAIN_DISPUTED`, and `CHAIN_QUORUM` where nobody else answers
   */
  ofBlock(lead: Source, header: BlockHeader): Promise<BelievedLogs>
  /**
   * Logs of a range as others give them too; those whose time others did not say have none.
   *
   * @param read - asks an endpoint for the same range
   * @throws SalusError as above
   */
  ofRange(
    lead: Source,
    mine: readonly PlacedLog[],
    read: (rpc: ChainRpc) => Promise<readonly PlacedLog[]>
  ): Promise<readonly PlacedLog[]>
}

/** Makes a comparison; with one endpoint there is none. */
export function createAgreedLogs(leads: Leads, reader: LogReader, quorum: number): AgreedLogs {
  const needed = Math.max(quorum, 2)

  /** What another endpoint gives of a block that it has: some answer with no logs for one that they have not got. */
  async function ofOther({ rpc }: Source, header: BlockHeader): Promise<BlockLogs | undefined> {
    return (await rpc.header(header.number))?.hash === header.hash ? reader.ofBlock(rpc, header) : undefined
  }

  /** Proves the first block in which two lists differ; tells which of them are wrong, as far as receipts say. */
  async function wrongOf(lead: Source, mine: readonly PlacedLog[], other: Source, theirs: readonly PlacedLog[]) {
    const [ours, others] = [byBlock(mine), byBlock(theirs)]
    const number = [...ours.keys(), ...others.keys()].find(one => textOf(ours.get(one)) !== textOf(others.get(one)))
    const header = number == null ? undefined : await lead.rpc.header(number)
    const proven = header == null ? undefined : await provenBy([lead, other], other, header)
    if (number == null || proven == null) return undefined
    return { isMine: textOf(ours.get(number)) !== proven, isTheirs: textOf(others.get(number)) !== proven }
  }

  /** What the receipts of a block prove that two endpoints have; `undefined` where neither gives them. */
  async function provenBy(both: readonly Source[], other: Source, header: BlockHeader): Promise<string | undefined> {
    const second = await answered(other, async () => other.rpc.header(header.number))
    if (second?.hash !== header.hash) return undefined
    for (const source of both) {
      const found = await answered(source, async () => reader.ofBlock(source.rpc, header))
      if (found != null && found.proof !== 'none') return textOf(found.logs)
    }
    return undefined
  }

  /** What another endpoint gives, if it gives anything. */
  async function answered<T>(of: Source, ask: () => Promise<T>): Promise<T | undefined> {
    try {
      return await ask()
    } catch (error) {
      leads.noteFailure(of, error)
      return undefined
    }
  }

  return {
    async ofBlock(lead, header) {
      const own = await reader.ofBlock(lead.rpc, header)
      if (own.proof !== 'none') return { logs: own.logs }
      if (leads.isSole) return { logs: own.logs, wordOf: lead.endpoint.name }
      const said = textOf(own.logs)
      const others: Answer[] = []
      for (const other of leads.others(lead)) {
        const theirs = await answered(other, async () => ofOther(other, header))
        if (theirs != null && theirs.proof !== 'none') {
          if (textOf(theirs.logs) !== said) throw forgedLogs()
          return { logs: theirs.logs }
        }
        others.push(theirs == null ? undefined : textOf(theirs.logs))
        if (judge({ said, others, needed }) === 'agreed') return { logs: own.logs }
      }
      throw refused(judge({ said, others, needed }))
    },
    async ofRange(lead, mine, read) {
      if (leads.isSole) return mine
      const said = textOf(mine)
      const others: Answer[] = []
      const same: (readonly PlacedLog[])[] = []
      for (const other of leads.others(lead)) {
        const theirs = await answered(other, async () => read(other.rpc))
        if (theirs == null) continue
        const wrong = textOf(theirs) === said ? undefined : await wrongOf(lead, mine, other, theirs)
        if (wrong?.isMine === true) throw forgedLogs()
        if (wrong?.isTheirs === true) {
          leads.noteFailure(other, forgedLogs())
          continue
        }
        others.push(textOf(theirs))
        if (textOf(theirs) === said) same.push(theirs)
        if (judge({ said, others, needed }) === 'agreed') return mine.map((log, i) => withTime(log, same, i))
      }
      throw refused(judge({ said, others, needed }))
    }
  }
}

/** Refuses logs that are not agreed on. */
function refused(verdict: Verdict): SalusError {
  if (verdict === 'disputed') return disputed()
  return new SalusError('CHAIN_QUORUM', 'Too few of the RPC endpoints answer, or agree; see the status.')
}

function byBlock(logs: readonly PlacedLog[]): ReadonlyMap<number, readonly PlacedLog[]> {
  return Map.groupBy(logs, ({ blockNumber }) => blockNumber)
}

/** What is compared of logs: what a proof covers, and where they are. */
function textOf(logs: readonly PlacedLog[] = []): string {
  const text = ({ blockNumber, blockHash, address, topics, data }: PlacedLog): string =>
    [blockNumber, blockHash, address.toLowerCase(), ...topics, data.toLowerCase()].join()
  return logs.map(text).join('\n')
}

/** A log with its time only where all who gave the same log say so. */
function withTime(log: PlacedLog, same: readonly (readonly PlacedLog[])[], at: number): PlacedLog {
  const isAgreed = same.every(logs => logs[at]?.timeS === log.timeS)
  return isAgreed ? log : { ...log, timeS: undefined }
}
