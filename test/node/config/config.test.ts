import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import fc from 'fast-check'
import { withoutComments } from '#node/config/json-comments.ts'
import { configOf } from '#node/config/layers.ts'
import { configLeaves } from '#node/config/leaves.ts'
import { configFile } from '#node/config/page.ts'
import { nodeConfig } from '#node/config/schema.ts'
import { checkSecretFile } from '#node/config/secret-file.ts'
import { expectCode } from '#test/error-code.ts'

const workDir = '/somewhere'
const fileOf = (text: string): { path: string; text: string } => ({ path: '/etc/salus/node.json', text })

describe('the configuration of a node', () => {
  it('is whole without being told anything', () => {
    const config = configOf({ workDir })
    expect(config.http.host).to.equal('127.0.0.1')
    expect(config.dataDir).to.equal('/somewhere/data')
    expect(config.auth.operators).to.deep.equal([])
  })

  it('says of every value what it means, what it is by default and how far it goes', () => {
    for (const { path, schema } of configLeaves()) {
      const name = path.join('.')
      expect(schema.description, name).to.match(/^[A-Z].*[.}]$/)
      expect(schema, name).to.have.property('default')
      if (schema.type === 'integer') expect(schema, name).to.include.all.keys('unit', 'minimum', 'maximum')
    }
  })

  it('takes the defaults below the file, the file below the environment, the environment below the command line', () => {
    const file = fileOf('{"http": {"port": 1, "host": "::1", "requestsPerSecond": 5}}')
    const environment = { SALUS_NODE_HTTP_PORT: '2', SALUS_NODE_HTTP_HOST: '10.0.0.1', PATH: '/bin', SALUS_OTHER: 'x' }
    const { http } = configOf({ file, environment, flags: { 'http.port': 3, 'http.host': undefined }, workDir })
    expect([http.port, http.host, http.requestsPerSecond, http.requestsAtOnce]).to.deep.equal([3, '10.0.0.1', 5, 1_000])
  })

  it('reads every value from the environment as from a file', () => {
    const chosen: Record<string, string> = { dataDir: '/x', deployment: '/y', 'log.level': 'warn', 'http.host': '::1' }
    const environment: Record<string, string> = {}
    for (const { path, schema, variable } of configLeaves()) {
      const text = JSON.stringify(schema.default)
      const plain = schema.items?.type === 'string' ? text.replaceAll(/["[\]]/g, '') : text.replaceAll('"', '')
      environment[variable] = chosen[path.join('.')] ?? (plain === 'null' ? '' : plain)
    }
    const config = configOf({ environment, workDir })
    expect(config).to.deep.equal(
      configOf({
        file: fileOf('{"dataDir":"/x","deployment":"/y","log":{"level":"warn"},"http":{"host":"::1"}}'),
        workDir
      })
    )
  })

  it('takes paths of the file from its folder and others from the working folder', () => {
    const file = fileOf('{"dataDir": "d", "relayer": {"keyFile": "keys/relayer"}}')
    const environment = { SALUS_NODE_CUSTODY_AUDITOR_FILE: 'auditor' }
    const { dataDir, deployment, relayer, custody } = configOf({ file, environment, workDir })
    expect([dataDir, deployment, relayer.keyFile, custody.auditorFile]).to.deep.equal([
      '/etc/salus/d',
      '/etc/salus/deployment.json',
      '/etc/salus/keys/relayer',
      '/somewhere/auditor'
    ])
  })

  for (const [what, text, code, place] of [
    ['an unknown key', '{"http": {"prot": 1}}', 'CONFIG_UNKNOWN_KEY', 'http.prot'],
    ['an unknown section', '{"htpp": {}}', 'CONFIG_UNKNOWN_KEY', 'htpp'],
    ['a number out of range', '{"http": {"port": 65536}}', 'CONFIG_VALUE', 'http.port'],
    ['a value of another type', '{"network": {"mdns": "yes"}}', 'CONFIG_VALUE', 'network.mdns'],
    [
      'an unknown scope',
      '{"auth": {"operators": [{"address": "0x0", "scopes": ["all"]}]}}',
      'CONFIG_VALUE',
      'auth.operators.0'
    ],
    ['an origin that is all', '{"http": {"corsOrigins": ["*"]}}', 'CONFIG_VALUE', 'http.corsOrigins.0'],
    [
      'an endpoint that is no address of HTTP',
      '{"chain": {"rpc": ["file:///etc/passwd"]}}',
      'CONFIG_VALUE',
      'chain.rpc.0'
    ],
    ['a key given twice', '{"http": {"port": 1, "port": 2}}', 'CONFIG_SYNTAX', 'twice'],
    ['a list', '[]', 'CONFIG_SYNTAX', 'object'],
    ['no JSON', '{http: 1}', 'CONFIG_SYNTAX', 'JSON']
  ] as const) {
    it(`refuses ${what} and says where`, () => {
      expect(() => configOf({ file: fileOf(text), workDir }))
        .to.throw(new RegExp(place.replaceAll('.', '\\.')))
        .with.property('code', code)
    })
  }

  it('never repeats a value that it refuses', () => {
    expect(() => configOf({ file: fileOf('{"relayer": {"keyFile": {"key": "0xs3cret"}}}'), workDir }))
      .to.throw()
      .with.property('message')
      .that.does.not.include('s3cret')
  })

  it('refuses a misspelt variable', () => {
    expect(() => configOf({ environment: { SALUS_NODE_HTTP_PROT: '1' }, workDir }))
      .to.throw()
      .with.property('code', 'CONFIG_VARIABLE')
    expect(() => configOf({ environment: { SALUS_NODE_HTTP_PORT: '1e3' }, workDir }))
      .to.throw()
      .with.property('code', 'CONFIG_VALUE')
  })

  it('is not changed by keys that objects have of themselves', () => {
    expect(() => configOf({ file: fileOf('{"__proto__": {"http": {"port": 1}}}'), workDir }))
      .to.throw()
      .with.property('code', 'CONFIG_UNKNOWN_KEY')
    expect({}).to.not.have.property('http')
  })

  it('is written with comments that say the same as leaving everything out', () => {
    expect(nodeConfig.parse(JSON.parse(withoutComments(configFile({}))))).to.deep.equal(nodeConfig.parse({}))
    const chosen = nodeConfig.parse(
      JSON.parse(withoutComments(configFile({ 'http.port': 9, 'chain.rpc': ['http://a//b'] })))
    )
    expect([chosen.http.port, chosen.chain.rpc]).to.deep.equal([9, ['http://a//b']])
  })

  it('loses comments and nothing else', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.array(fc.string().filter(text => !/[\n\r]/.test(text))), (value, comments) => {
        const lines = JSON.stringify(value, null, 1).split('\n')
        const text = lines.map((line, at) => `${line} // ${comments[at] ?? ''}`).join('\n')
        expect(JSON.parse(withoutComments(text))).to.deep.equal(JSON.parse(JSON.stringify(value)))
        expect(withoutComments(text)).to.have.length(text.length)
      })
    )
  })

  it('takes a secret only from a file of its owner', async function () {
    if (process.platform === 'win32') this.skip()
    const folder = await mkdtemp(join(tmpdir(), 'salus-secret-'))
    const path = join(folder, 'key')
    await writeFile(path, 'x', { mode: 0o644 })
    await expectCode('CONFIG_SECRET_MODE', async () => checkSecretFile(path))
    await expectCode('CONFIG_SECRET_FILE', async () => checkSecretFile(folder))
    await expectCode('CONFIG_SECRET_FILE', async () => checkSecretFile(join(folder, 'none')))
    const own = join(folder, 'own')
    await writeFile(own, 'x', { mode: 0o600 })
    await checkSecretFile(own)
    await rm(folder, { recursive: true })
  })
})
