import { readFile } from 'node:fs/promises'

/** Most memory that a process has had so far, in MiB; undefined where the system does not tell. */
export async function peakMib(pid: number): Promise<number | undefined> {
  const status = await readFile(`/proc/${String(pid)}/status`, 'utf8').catch(() => '')
  const kib = /^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]
  return kib == null ? undefined : Number(kib) / 1024
}
