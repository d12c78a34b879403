import { expect } from 'chai'
import { InvalidArgumentError } from 'commander'
import { drawCode, endingOf, printable, readDuration, readMoment, typeOfName } from '#agent/cli/command.ts'

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

  it('draw a code as QR codes', () => {
    const text = 'SALUS:ANSWER:AAAAAAAA:1/1:ABCD'
    const lines = drawCode({ text, parts: [text], check: '' })
    expect(lines).to.have.lengthOf(2)
    expect(lines[1]).to.match(/[\u2580\u2584\u2588]/)
  })
})
