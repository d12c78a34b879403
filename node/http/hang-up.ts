/** Ending a connection on which something may still be on its way. */
import type { Socket } from 'node:net'

/** Time for what is on its way, ms: whoever does not read it would keep the connection for ever. */
const GRACE_MS = 5_000

/** Ends a connection once what was written is sent, or the time is up. */
export function hangUp(socket: Socket, graceMs: number = GRACE_MS): void {
  if (socket.destroyed) return
  const late = setTimeout(() => socket.destroy(), graceMs)
  late.unref()
  socket.once('close', () => clearTimeout(late))
  socket.destroySoon()
}
