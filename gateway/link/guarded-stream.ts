/** A connection that ends as soon as its peer announces an MQTT packet that is longer than allowed. */
import { Duplex } from 'node:stream'
import { createPacketGuard } from '#core/link/packet-guard.ts'

/** Passes everything between a connection and its reader on, with back-pressure, until the guard refuses. */
export function guardStream(connection: Duplex, maxPacketBytes: number, onRefused: () => void): Duplex {
  const guard = createPacketGuard(maxPacketBytes)
  const guarded = new Duplex({
    read() {
      connection.resume()
    },
    write(chunk: Buffer, _encoding, done) {
      connection.write(chunk, done)
    },
    // Acknowledgements that wait go out together: each by itself would be a record of TLS and a turn of the loop.
    writev(chunks, done) {
      connection.write(Buffer.concat(chunks.map(({ chunk }) => chunk as Buffer)), done)
    },
    final(done) {
      connection.end(done)
    },
    destroy(_error, done) {
      connection.destroy()
      done(null)
    }
  })
  connection.on('data', (chunk: Buffer) => {
    if (!guard.feed(chunk)) {
      onRefused()
      guarded.destroy()
    } else if (!guarded.push(chunk)) connection.pause()
  })
  connection.on('end', () => guarded.push(null))
  connection.on('close', () => guarded.destroy())
  // The reader learns of it by the end; there is nothing else to be done.
  connection.on('error', () => guarded.destroy())
  return guarded
}
