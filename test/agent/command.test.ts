import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { InvalidArgumentError } from 'commander'
import { drawCode, endingOf, printable, readDuration, readMoment, typeOfName } from '#agent/cli/command.ts'
import { locateAgent } from '#agent/cli/locate.ts'
import { expectCode } from '#test/error-code.ts'

describe('the commands of persons', () => {
  it('print nothing that a terminal obeys', () => {
    expect(printable('Dr.\u001b[2J\u202eA\u0007\r')).to.equal('Dr.?[2J?A??')
    expect(printable('Käthe Müller, 医者')).to.equal('Käthe Müller, 医者')
  })

  it('read moments and lengths of time', () => {
    const nowS = Math.floor(Date.now() / 1000)
    expect(readMoment('30d')).to.be.closeTo(nowS + 30 * 86_400, 2)
    expect(readMoment('2026-12-31T08:00Z')).to.equal(Date.UTC(2026, 11, 31, 8) / 1000)
    expect([readDuration('90s'), readDuration('15m'), readDuration('12h')]).to.deep.equal([90, 900, 43_200])
    for (const bad of ['', 'soon', '5', '-5d', '1e9', '5 d']) {
      expect(() => readMoment(bad)).to.throw(InvalidArgumentError)
      expect(() => readDuration(bad)).to.throw(InvalidArgumentError)
    }
  })

  it('know what files are', () => {
    expect(typeOfName('/tmp/Scan.PNG')).to.equal('image/png')
    expect(typeOfName('notes')).to.equal('application/octet-stream')
    expect(endingOf('application/fhir+json; fhirVersion=4.0')).to.equal('.json')
    expect(endingOf('x/../../y')).to.equal('.bin')
  })

  it('tell the token to no other computer', async () => {
    for (const agent of ['http://evil.example:80', 'https://127.0.0.1:1', 'http://127.0.0.1@evil.example', 'x']) {
      await expectCode('CLI_URL', async () => locateAgent({ agent, json: true }))
    }
    const home = await mkdtemp(join(tmpdir(), 'salus-home-'))
    await expectCode('AGENT_NOT_RUNNING', async () => locateAgent({ home, json: true }))
    await writeFile(join(home, 'token'), 'abc')
    const located = await locateAgent({ home, agent: 'http://127.0.0.1:1', json: true })
    expect(located).to.deep.equal({ url: 'http://127.0.0.1:1', token: 'abc' })
    await rm(home, { recursive: true })
  })

  it('draw a code as QR codes', () => {
    const text = 'SALUS:ANSWER:AAAAAAAA:1/1:ABCD'
    const lines = drawCode({ text, parts: [text], check: '' })
    expect(lines).to.have.lengthOf(2)
    expect(lines[1]).to.match(/[\u2580\u2584\u2588]/)
  })
})
