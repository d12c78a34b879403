import fc from 'fast-check'

/** One seed for every property, so that a failure is seen again; `SALUS_TEST_SEED` tries another. */
const SEED = Number(process.env['SALUS_TEST_SEED'] ?? 20_261_120)

fc.configureGlobal({ seed: SEED })
