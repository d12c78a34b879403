import { execFileSync } from 'node:child_process'
import { mkdtemp, rm, statfs, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { createTestWorld, messageOf, noteOf, until, type TestWorld } from '#test/node/http/world.ts'

describe('a node that is started on a full disk', function () {
  this.timeout(60_000)
  let world: TestWorld
  let mount: string
  let isMounted = false

  before(async () => {
    world = await createTestWorld()
    mount = await mkdtemp(join(tmpdir(), 'salus-full-'))
  })
  after(async () => {
    await world.stop()
    if (isMounted) execFileSync('/bin/umount', [mount])
    await rm(mount, { recursive: true, force: true })
  })

  it('answers what it has, refuses what is new, and takes it once there is room', async function () {
    try {
      execFileSync('/bin/mount', ['-t', 'tmpfs', '-o', 'size=32m', 'tmpfs', mount], { stdio: 'ignore' })
    } catch {
      this.skip()
    }
    isMounted = true
    const dataDir = join(mount, 'data')
    const disk = { reserveBytes: 4 << 20 }
    const first = await world.node({ dataDir, disk })
    const patient = await world.patient(first)
    const message = messageOf(world.network, patient, noteOf(patient))
    await first.client.publish(message)
    await first.stop()
    const { bavail, bsize } = await statfs(mount)
    // All but what opening a database takes.
    await writeFile(join(mount, 'ballast'), new Uint8Array(bavail * bsize - (256 << 10)))
    const again = await world.node({ dataDir, disk })
    expect((await again.client.status()).messages).to.equal(1)
    const late = messageOf(world.network, patient, noteOf(patient))
    const refused: unknown = await again.client.publish(late).catch((error: unknown) => error)
    expect(refused).to.have.property('code', 'STORE_FULL')
    await rm(join(mount, 'ballast'))
    await until(async () =>
      again.client.publish(late).then(
        () => true,
        () => false
      )
    )
    expect((await again.client.status()).messages).to.equal(2)
    await again.stop()
  })
})
