import type { NodeClient } from '#node/http/client.ts'

/** What a gateway needs of a node. A node's HTTP client is one; other transports may take over single calls. */
export type NodePort = Pick<NodeClient, 'publish' | 'putBlob' | 'relay' | 'queryCapsules' | 'gateway'>
