import { findMosquitto } from '#scripts/interop/mosquitto-build.ts'
import type { Suite } from '#scripts/interop/suite.ts'
import { runMocha } from '#scripts/process/mocha.ts'

let env: Record<string, string> = {}

/** A sensor and a gateway with Mosquitto between them. */
export const sensorsAtMosquitto: Suite = {
  name: 'mosquitto',
  about: 'a sensor and a gateway speak through Mosquitto, over TLS 1.3 with pre-shared keys',
  prepare: async progress => {
    const found = await findMosquitto(progress)
    if ('missing' in found) return found
    env = { SALUS_TEST_MOSQUITTO: found.path, SALUS_TEST_MOSQUITTO_LIBRARIES: found.libraries }
    return undefined
  },
  run: async () => runMocha(['test/interop/mosquitto.interop.ts'], { env })
}
