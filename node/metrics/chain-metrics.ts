/** What a node measures of the chain: where it stands, its endpoints, what it pays. */
import type { FollowerStatus } from '#node/chain/follower-status.ts'
import type { RelayerStatus } from '#node/chain/relayer.ts'
import { counted, gauge, gauges, type Family } from '#node/metrics/families.ts'

const STATES = ['starting', 'following', 'catching-up', 'waiting']
const ENDPOINT_STATES = ['good', 'resting', 'distrusted']
const WEI_PER_ETHER = 1e18

/** Where the follower stands. @param blockTimeS - of the newest block that is followed */
export function followerFamilies(status: FollowerStatus, blockTimeS: number): readonly Family[] {
  const { state, blockNumber, headNumber, finalizedNumber, counters } = status
  return [
    gauges(
      { name: 'salus_chain_state', help: '1 for where the node stands on the chain.' },
      STATES.map(each => [{ state: each }, each === state ? 1 : 0] as const)
    ),
    gauge({ name: 'salus_chain_block', help: 'Newest block that is followed.' }, blockNumber),
    ...(finalizedNumber == null
      ? []
      : [gauge({ name: 'salus_chain_final_block', help: 'Newest block that is final.' }, finalizedNumber)]),
    gauge(
      { name: 'salus_chain_lag_blocks', unit: 'blocks', help: 'Blocks that the endpoint is ahead.' },
      Math.max(0, headNumber - blockNumber)
    ),
    gauge(
      { name: 'salus_chain_block_time_seconds', unit: 'seconds', help: 'Time of the newest block, since 1970.' },
      blockTimeS
    ),
    counted({ name: 'salus_chain_events', help: 'Events of the contracts that were taken in.' }, counters.events),
    counted(
      { name: 'salus_chain_reorganisations', help: 'Times that blocks were taken back.' },
      counters.reorganisations
    ),
    counted({ name: 'salus_chain_rebuilds', help: 'Times that the index was built anew.' }, counters.rebuilds),
    counted({ name: 'salus_chain_disputes', help: 'Times that endpoints did not agree.' }, counters.disputes),
    counted({ name: 'salus_chain_lies', help: 'Times that an endpoint said what cannot be so.' }, counters.lies),
    ...endpointFamilies(status)
  ]
}

/** Endpoints are told apart by their place in the configuration. */
function endpointFamilies({ endpoints }: FollowerStatus): readonly Family[] {
  const of = <T>(value: (endpoint: FollowerStatus['endpoints'][number]) => T) =>
    endpoints.map((endpoint, index) => [{ endpoint: String(index + 1) }, value(endpoint)] as const)
  return [
    gauges(
      { name: 'salus_rpc_state', help: '1 for how far an endpoint is trusted now.' },
      of(({ state }) => state).flatMap(([labels, state]) =>
        ENDPOINT_STATES.map(each => [{ ...labels, state: each }, each === state ? 1 : 0] as const)
      )
    ),
    gauges(
      { name: 'salus_rpc_latency_seconds', unit: 'seconds', help: 'Time of an answer of an endpoint.' },
      of(({ latencyMs }) => (latencyMs ?? Number.NaN) / 1000)
    ),
    {
      name: 'salus_rpc_requests',
      type: 'counter',
      help: 'Requests to an endpoint.',
      samples: of(({ requests }) => requests).map(([labels, value]) => ({ suffix: '_total', labels, value }))
    },
    {
      name: 'salus_rpc_failures',
      type: 'counter',
      help: 'Requests that an endpoint did not answer.',
      samples: of(({ failures }) => failures).map(([labels, value]) => ({ suffix: '_total', labels, value }))
    }
  ]
}

/** What the relayer does; nothing of a node that does not relay. */
export function relayerFamilies(status: RelayerStatus | undefined): readonly Family[] {
  if (status == null) return []
  const { balanceWei, outbox, oldestPendingS, spentTodayWei, counters } = status
  const ether = { unit: 'ether' } as const
  return [
    {
      name: 'salus_relayed_requests',
      type: 'counter',
      help: 'What became of relayed requests and of their transactions.',
      samples: Object.entries(counters).map(([outcome, value]) => ({ suffix: '_total', labels: { outcome }, value }))
    },
    gauge({ name: 'salus_relayer_outbox', help: 'Transactions that are not deep in the chain yet.' }, outbox),
    gauge(
      { name: 'salus_relayer_oldest_pending_seconds', unit: 'seconds', help: 'Age of the oldest one in no block.' },
      oldestPendingS ?? 0
    ),
    gauge(
      { ...ether, name: 'salus_relayer_spent_today_ether', help: 'What was spent since midnight UTC.' },
      Number(spentTodayWei) / WEI_PER_ETHER
    ),
    ...(balanceWei == null
      ? []
      : [
          gauge(
            { ...ether, name: 'salus_relayer_balance_ether', help: 'What the relayer’s account has.' },
            Number(balanceWei) / WEI_PER_ETHER
          )
        ])
  ]
}
