/** `salus`: the command line of nodes, gateways, persons, makers and devices. */
import { Command, CommanderError } from 'commander'
import { isSalusError } from '#core/error.ts'

/** Exit code of a command line that was not understood. */
const USAGE = 2
/** Exit code of a fault of the program itself (EX_SOFTWARE of sysexits.h). */
const SOFTWARE = 70

type Register = (program: Command) => void

/** Loaded only when asked for: a verifier needs no network library, and a device starts faster without the rest. */
const GROUPS: Readonly<Record<string, () => Promise<Register>>> = {
  chain: async () => (await import('#node/cli/commands/chain.ts')).registerChain,
  node: async () => (await import('#node/cli/commands/node.ts')).registerNode,
  gateway: async () => (await import('#gateway/cli/gateway.ts')).registerGateway,
  verify: async () => (await import('#gateway/cli/verify.ts')).registerVerify,
  anchor: async () => (await import('#gateway/cli/anchor.ts')).registerAnchor,
  witness: async () => (await import('#node/cli/commands/witness.ts')).registerWitness,
  agent: async () => (await import('#agent/cli/agent.ts')).registerAgent,
  patient: async () => (await import('#agent/cli/patient.ts')).registerPatient,
  clinician: async () => (await import('#agent/cli/clinician.ts')).registerClinician,
  firmware: async () => (await import('#node/cli/commands/firmware.ts')).registerFirmware,
  device: async () => (await import('#node/cli/commands/device.ts')).registerDevice
}

/** Sub-commands that exist already do not inherit it. */
function throwInsteadOfExit(command: Command): void {
  command.exitOverride().showHelpAfterError()
  for (const sub of command.commands) throwInsteadOfExit(sub)
}

async function run(args: readonly string[]): Promise<void> {
  const program = new Command('salus')
  program.description('Patient records, sensor streams and device firmware over a network that cannot read them')
  const wanted = GROUPS[args[0] ?? '']
  for (const load of wanted == null ? Object.values(GROUPS) : [wanted]) (await load())(program)
  throwInsteadOfExit(program)
  await program.parseAsync(args, { from: 'user' })
}

try {
  await run(process.argv.slice(2))
} catch (error) {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? 0 : USAGE
  } else if (isSalusError(error)) {
    console.error(`${error.code}: ${error.message}`)
    process.exitCode = 1
  } else {
    const message = error instanceof Error ? error.message : String(error)
    console.error(`INTERNAL: ${message}`)
    console.error('No code explains this failure; where it happened follows, for whoever runs or mends this program.')
    console.error(error)
    process.exitCode = SOFTWARE
  }
}
