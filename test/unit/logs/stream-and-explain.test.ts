import { describe, expect, test } from 'vitest';
import type { MessageSignature } from '../../../src/core/polling/signature.ts';
import { createAttribution } from '../../../src/logs/senders.ts';
import { NO_OTHERS } from '../../support/logs/no-others.ts';
import { recognisePasted } from '../../../src/logs/reader.ts';
import { heard } from '../../support/logs/heard.ts';
import { fixtureLines } from '../../support/logs/fixture-lines.ts';
import { shippedCatalogue } from '../../support/logs/signature-catalogue.ts';

const signatures = await shippedCatalogue();
const attribution = createAttribution([{ name: 'fac-1', logSources: ['10.0.0.5'] }], NO_OTHERS);
/** Returns the signature that the intake finds in a line from this appliance, or null. */
function inStream(line: string, appliance: string | null = 'fac-1'): string | null {
  const from = { attribution, origin: { kind: 'appliance', appliance, isKnown: true }, octetCounting: false } as const;
  const { events } = heard([Buffer.from(`${line}\n`)], from);
  return events.flatMap((event) => (event.kind === 'heard' ? [] : [event.signature]))[0] ?? null;
}

const pasted = (line: string): string | null => recognisePasted(signatures, line)?.signature.id ?? null;
const byFac = (message: string): string =>
  `<12>Aug 14 22:40:02 db[16987]:  category="Event" subcategory="Admin Configuration" typeid=0 level="warning" user="" ` +
  `nas="" userip="" action="" status="" ${message}`;

const texts = signatures.signatures
  .filter((signature): signature is MessageSignature => signature.kind === 'message')
  .flatMap(({ id, texts: all }) => all.map((text) => ({ id, text, message: text.replace('^', '') })));
const explainsOnly = (id: string): boolean => {
  const signature = signatures.byId.get(id);
  return signature?.kind === 'message' && signature.explainOnly === true;
};
const counted = texts.filter(({ id, text }) => !text.startsWith('*') && !explainsOnly(id));
const explainedOnly = texts.filter(({ text }) => text.startsWith('*'));
const ordinary = texts.filter(({ id }) => explainsOnly(id));

describe('the stream and explain say the same', () => {
  test.each(counted)('of "$text"', ({ id, message }) => {
    const written = message.replaceAll('*', ' x ');
    expect([inStream(byFac(written)), pasted(byFac(written)), pasted(written)]).toEqual([id, id, id]);
  });

  test.each(ordinary)('but for "$text", which is no trouble of activation', ({ id, message }) => {
    const written = message.replaceAll('*', ' x ');
    expect([inStream(byFac(written)), pasted(byFac(written)), pasted(written)]).toEqual([null, id, id]);
  });

  test.each(explainedOnly)('but for "$text", which FortiAuthenticator does not log', ({ id, message }) => {
    const written = message.replaceAll('*', ' ').trim();
    // In a complete line, the message is matched only where FortiAuthenticator puts it.
    const complete = inStream(byFac(written));
    expect([complete, pasted(byFac(written))]).toEqual([complete, complete]);
    expect(complete === null || complete === id).toBe(true);
    expect(pasted(written)).toBe(id);
  });

  test('of everything in the samples', () => {
    const lines = [...fixtureLines('fac-syslog-samples.txt'), ...fixtureLines('fortios-token-events.txt')];
    const counted = (id: string | null): string | null => (id !== null && explainsOnly(id) ? null : id);
    expect(lines.map((line) => inStream(line))).toEqual(lines.map(pasted).map(counted));
  });
});

describe('an event of FortiAuthenticator itself', () => {
  const events = fixtureLines('fac-events.txt').map((entry) => {
    const [stream = '', explained = '', ...line] = entry.split('|');
    return { stream: stream === '' ? null : stream, explained, line: line.join('|') };
  });

  test.each(events)('$explained, in the stream $stream', ({ stream, explained, line }) => {
    expect([inStream(line), pasted(line)]).toEqual([stream, explained]);
  });

  test('that says nothing of activation is left to explain', () => {
    const ids = events.map(({ explained }) => explained);
    expect(new Set(ids.filter(explainsOnly))).toEqual(
      new Set(events.filter(({ stream }) => stream === null).map(({ explained }) => explained)),
    );
    expect(new Set(ids).size).toBeGreaterThan(11);
  });
});

describe('a line of another product, or about something else', () => {
  const lines = fixtureLines('foreign-lines.txt');

  test('there are at least 60', () => {
    expect(lines.length).toBeGreaterThanOrEqual(60);
  });

  test.each(lines)('%s', (line) => {
    // Inspection of other hosts is distinguished by the host in the line. See explain.test.ts.
    expect([inStream(line), pasted(line)].filter((id) => id !== null && !id.startsWith('firewall-'))).toEqual([]);
  });
});

describe('an event of a FortiGate', () => {
  const lines = fixtureLines('fortios-token-events.txt');
  const IDS = ['fortigate-token-activation-failed', 'fortigate-push-failed', null, null];

  test('is known by its log id, whatever its words', () => {
    const reworded = lines.map((line) => line.replace(/logdesc="[^"]*"/u, 'logdesc="x"').replace(/msg="[^"]*"/u, ''));
    expect(lines.map(pasted)).toEqual(IDS);
    expect(reworded.map(pasted)).toEqual(IDS);
    expect(reworded.map((line) => inStream(line))).toEqual(IDS);
  });

  test('is known in CEF, and where its beginning was cut off', () => {
    const cef = (id: string): string =>
      `<14>Nov 24 10:02:02 fgt-1 CEF:0|Fortinet|Fortigate|v7.2.5|${id.slice(5)}|event:system|3|FTNTFGTlogid=${id} act=x`;
    expect(pasted(cef('0100032159'))).toBe('fortigate-token-activation-failed');
    expect(pasted(cef('0100032156'))).toBeNull();
    expect(pasted('eventtime=1 logid="0100032161" type="event" msg="license expired"')).toBe('fortigate-push-failed');
    expect(pasted('eventtime=1 logid="0100032160" type="event" msg="license expired"')).toBeNull();
  });

  test('counts in the stream for a configured unit alone', () => {
    expect(inStream(lines[0] ?? '', null)).toBeNull();
  });
});
