/** A sensor in a process of its own, to be killed: says each number before it is used. */
import { openCounters } from '#gateway/link/marks-file.ts'
import { p } from '#test/gateway/link/world.ts'

const [path = ''] = process.argv.slice(2)
const counters = await openCounters(p, path)
for (;;) {
  const attempt = await counters.nextAttempt()
  process.stdout.write(`${JSON.stringify({ attempt })}\n`)
  for (let i = 0; i < 600; i++) {
    const message = await counters.nextMessage()
    process.stdout.write(`${JSON.stringify({ message })}\n`)
  }
}
