/** Direction of imports; the picture is in ARCHITECTURE.md. @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    {
      name: 'core-stands-alone',
      comment: 'core imports only core: it runs unchanged in Node and in the browser',
      severity: 'error',
      from: { path: '^core/' },
      to: { path: '^(node|gateway|agent|web|scripts|test|contracts)/' }
    },
    {
      name: 'core-is-pure',
      comment: 'no platform module in core: disk, network, clock and chance are passed in',
      severity: 'error',
      from: { path: '^core/' },
      to: { dependencyTypes: ['core'] }
    },
    {
      name: 'core-has-no-network-library',
      severity: 'error',
      from: { path: '^core/' },
      to: { path: 'node_modules/(libp2p|@libp2p|helia|@helia|level|hono|@hono|pino|commander|zod)/' }
    },
    {
      name: 'node-stands-on-core',
      severity: 'error',
      from: { path: '^node/', pathNot: '^node/cli/main\\.ts$' },
      to: { path: '^(gateway|agent|web|scripts|test|contracts)/' }
    },
    {
      name: 'gateway-uses-drivers-only',
      comment:
        "a gateway may use node's network, chain and HTTP drivers, what writes metrics and reads command lines, nothing else of it",
      severity: 'error',
      from: { path: '^gateway/' },
      to: {
        path: '^node/',
        pathNot:
          '^node/(network|chain|store|http/(client|plain-server)|crypto|log|version|metrics/(families|open-metrics|process-metrics)|cli/(options|signals))'
      }
    },
    {
      name: 'gateway-holds-no-person',
      comment: 'a gateway holds its own keys, never a person’s',
      severity: 'error',
      from: { path: '^gateway/' },
      to: { path: '^(agent|web|scripts|test|contracts)/' }
    },
    {
      name: 'agent-uses-drivers-only',
      comment: 'an agent talks to nodes over HTTP: it uses their client and drivers, and joins no peer-to-peer network',
      severity: 'error',
      from: { path: '^agent/' },
      to: {
        path: '^(gateway|web|scripts|test|contracts|node)/',
        pathNot: '^node/(chain|store|crypto|log|version|http/(client|body|problem|server)|cli/(options|signals))'
      }
    },
    {
      name: 'verifier-has-no-network',
      comment: 'what checks a proof can open no connection',
      severity: 'error',
      from: { path: '^(core/batch|core/proof|gateway/cli/verify)' },
      to: {
        reachable: true,
        path: '^(node:)?(net|http|https|tls|dgram|http2)$|node_modules/(libp2p|helia|undici|hono|@hono)/'
      }
    },
    { name: 'nothing-imports-tests', severity: 'error', from: { pathNot: '^test/' }, to: { path: '^test/' } },
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true, viaOnly: { pathNot: 'node_modules' } } }
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default', 'types'] }
  }
}
