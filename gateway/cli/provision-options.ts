import { Option, type Command } from 'commander'

/** What `salus gateway provision` is told. */
export interface ProvisionOptions {
  readonly data: string
  readonly udp: string
  readonly mqtt: string
  readonly out?: string
  readonly list: boolean
  readonly revoke: boolean
  readonly rotate: boolean
}

/** Adds the options to the command. */
export function addProvisionOptions(command: Command): Command {
  return command
    .description('make a sensor known, and show its card once: as a QR code, or in a file')
    .requiredOption('--data <dir>', 'data directory of the gateway')
    .option('--udp <host:port>', 'where the sensor reaches the gateway over UDP', '')
    .option('--mqtt <host:port>', 'where it reaches it over MQTT', '')
    .option('--out <file>', 'write the card to a file instead of showing it')
    .addOption(new Option('--list', 'list the sensors that are known').default(false))
    .addOption(new Option('--rotate', 'draw a new key; the sensor is told under the old one').default(false))
    .addOption(new Option('--revoke', 'shut the sensor out for good').default(false).conflicts('rotate'))
}
