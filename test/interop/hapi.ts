/** HAPI FHIR as processes: a hospital's server, and a client (scripts/interop/hapi). */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey } from 'jose'
import { runTool } from '#scripts/interop/tool.ts'

/** What a client of this name may do is registered there. */
export const CLIENT = 'salus'

/** A hospital's server. */
export interface Hospital {
  readonly base: string
  /** Holds the private key that is registered, as a JWK. */
  readonly keyFile: string
  /** Asks the server with a token that it gave. */
  ask(path: string, init?: { method: string; body: string }): Promise<{ status: number; text: string }>
  stop(): Promise<void>
}

/** Starts a server with one registered client; its files go into a folder. */
export async function startHospital(classPath: string, folder: string): Promise<Hospital> {
  const { publicKey, privateKey } = await generateKeyPair('ES384', { extractable: true })
  const named = { kid: 'k', alg: 'ES384' }
  const jwks = join(folder, 'jwks.json')
  const keyFile = join(folder, 'hospital-key.json')
  await writeFile(jwks, JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), ...named }] }))
  await writeFile(keyFile, JSON.stringify({ ...(await exportJWK(privateKey)), ...named }))
  const server = spawn('java', ['-Xmx1g', '-cp', classPath, 'salus.interop.HospitalServer', jwks], {
    stdio: ['pipe', 'pipe', 'inherit']
  })
  const [base] = (await Promise.race([
    once(createInterface({ input: server.stdout }), 'line'),
    once(server, 'exit').then(() => {
      throw new Error('the HAPI FHIR server did not start')
    })
  ])) as [string]
  const token = await tokenOf(base, privateKey)
  return {
    base,
    keyFile,
    async ask(path, init) {
      const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/fhir+json' }
      const response = await fetch(`${base}/${path}`, { ...init, headers })
      return { status: response.status, text: await response.text() }
    },
    async stop() {
      const ended = once(server, 'exit')
      // It ends with its input.
      server.stdin.end()
      await ended
    }
  }
}

/** Runs HAPI FHIR's client at an agent's endpoint; gives what it saw. */
export async function runHapiClient(
  classPath: string,
  { base, tokenFile, code }: { readonly base: string; readonly tokenFile: string; readonly code: string }
): Promise<Record<string, unknown>> {
  const ran = await runTool('java', ['-cp', classPath, 'salus.interop.RecordClient', base, tokenFile, code])
  if (ran.code !== 0) throw new Error(`HAPI FHIR’s client failed: ${ran.output}`)
  return JSON.parse(ran.output) as Record<string, unknown>
}

async function tokenOf(base: string, key: CryptoKey): Promise<string> {
  const assertion = await new SignJWT({})
    .setProtectedHeader({ alg: 'ES384', kid: 'k', typ: 'JWT' })
    .setIssuer(CLIENT)
    .setSubject(CLIENT)
    .setAudience(`${base}/token`)
    .setJti('the test itself')
    .setExpirationTime('4m')
    .sign(key)
  const response = await fetch(`${base}/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: assertion
    })
  })
  return ((await response.json()) as { access_token: string }).access_token
}
