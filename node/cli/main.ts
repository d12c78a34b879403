/** `salus`: the command line of nodes, gateways, makers and devices. */
import { Command } from 'commander'
import { isSalusError } from '#core/error.ts'

const program = new Command('salus')
program.description('Patient records, sensor streams and device firmware over a network that cannot read them')
program.showHelpAfterError().exitOverride()

try {
  await program.parseAsync()
} catch (error) {
  if (isSalusError(error)) {
    console.error(`${error.code}: ${error.message}`)
    process.exitCode = 1
  } else {
    throw error
  }
}
