/** What an operator tells the relayer on the command line. */
import { InvalidArgumentError, type Command } from 'commander'
import type { RelayerInit } from '#node/chain/relayer.ts'

/** The options as they are read. */
export interface RelayerOptions {
  readonly relayerMaxFee?: bigint
  readonly relayerDayBudget?: bigint
  readonly relayerAddressBudget?: bigint
  readonly relayerContractBudget?: bigint
  readonly relayerLowBalance?: bigint
  readonly relayerReserve?: bigint
}

/** Adds the options to a command. */
export function addRelayerOptions(command: Command): Command {
  return command
    .option('--relayer-max-fee <wei>', 'most wei for a unit of gas; 500 gwei unless told', readWei)
    .option('--relayer-day-budget <wei>', 'most wei a day for what others ask', readWei)
    .option('--relayer-address-budget <wei>', 'most wei a day for one network address', readWei)
    .option('--relayer-contract-budget <wei>', 'most wei a day for one contract', readWei)
    .option(
      '--relayer-low-balance <wei>',
      'balance from which the log says that it is low; 0.05 ether unless told',
      readWei
    )
    .option('--relayer-reserve <wei>', 'balance that is left to the node’s own requests', readWei)
}

/** What the relayer is told. */
export function relayerInit(options: RelayerOptions): RelayerInit {
  const { relayerMaxFee, relayerLowBalance, relayerReserve } = options
  return {
    dayBudgets: {
      allWei: options.relayerDayBudget,
      askerWei: options.relayerAddressBudget,
      contractWei: options.relayerContractBudget
    },
    ...(relayerMaxFee == null ? {} : { maxFeePerGasWei: relayerMaxFee }),
    ...(relayerLowBalance == null ? {} : { lowBalanceWei: relayerLowBalance }),
    ...(relayerReserve == null ? {} : { reserveWei: relayerReserve })
  }
}

function readWei(text: string): bigint {
  if (!/^\d{1,30}$/.test(text)) throw new InvalidArgumentError('Expected a whole number of wei.')
  return BigInt(text)
}
