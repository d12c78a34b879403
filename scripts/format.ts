/** `npm run format`: writes every file in the project's form. */
import { runNode } from '#scripts/process/run.ts'

const { code } = await runNode(['node_modules/prettier/bin/prettier.cjs', '--write', '--log-level', 'warn', '.'], {
  echo: true
})
process.exitCode = code
