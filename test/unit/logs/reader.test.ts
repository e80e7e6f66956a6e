import fc from 'fast-check';
import { anyText } from '../../support/security/any-text.ts';
import { describe, expect, test } from 'vitest';
import { createAttribution } from '../../../src/logs/senders.ts';
import { NO_OTHERS } from '../../support/logs/no-others.ts';
import { heard } from '../../support/logs/heard.ts';
import { fixtureLines } from '../../support/logs/fixture-lines.ts';
import { shippedCatalogue } from '../../support/logs/signature-catalogue.ts';
import { samples } from '../../support/random/samples.ts';

const signatures = await shippedCatalogue();
const NAMES = ['fac-1', 'fac-2'];
const attribution = createAttribution(
  [
    { name: 'fac-1', logSources: ['fac01'] },
    { name: 'fac-2', logSources: ['10.0.0.5'] },
  ],
  NO_OTHERS,
);
const read = (chunks: readonly Buffer[]) => heard(chunks, { attribution, origin: { kind: 'unproven' } });

const lines = [...fixtureLines('fac-syslog-samples.txt'), ...fixtureLines('fortigate-samples.txt')];
const piece = fc.oneof(
  fc.constantFrom(
    ...lines,
    ...lines.map((line) => line.replace(' db[', ' fac01 db[')),
    '\n',
    '\n',
    '\n',
    'fac01 ',
    'FTM polling error: ',
    'SSL session failed',
    '50 <14>',
  ),
  anyText(30),
);

describe('LogReader', () => {
  test('never fails, and takes every name that becomes a label from a closed set', () => {
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
        const { tally, events } = read([Buffer.from(pieces.join(''), 'utf8')]);
        expect(Object.keys(tally)).toEqual(['ftm', 'unrecognised', 'other', 'foreign', 'unparsed', 'dropped']);
        const owners = events.flatMap((event) => (event.kind === 'firewall-evidence' ? [] : [event.appliance]));
        expect(owners.filter((owner) => owner !== null && !NAMES.includes(owner))).toEqual([]);
        const ids = events.flatMap((event) => (event.kind === 'heard' ? [] : [event.signature]));
        expect(ids.filter((id) => !signatures.byId.has(id))).toEqual([]);
      }),
      { numRuns: samples(60) },
    );
  });

  test('counts the same wherever the stream is cut, and each trouble once', () => {
    fc.assert(
      fc.property(
        fc.array(piece, { maxLength: 20 }),
        fc.array(fc.nat({ max: 3000 }), { maxLength: 8 }),
        (pieces, cuts) => {
          const input = Buffer.from(pieces.join(''), 'utf8');
          const bounds = [0, ...cuts.map((cut) => Math.min(cut, input.length)), input.length].toSorted((a, b) => a - b);
          const whole = read([input]);
          const parts = read(bounds.slice(1).map((end, index) => input.subarray(bounds[index], end)));
          expect(parts.tally).toEqual(whole.tally);
          // A firewall's line under the name of an appliance counts for that appliance, too.
          const count = whole.events.reduce((sum, event) => sum + (event.kind === 'heard' ? 0 : event.count), 0);
          expect(count).toBe(whole.tally.ftm);
        },
      ),
      { numRuns: samples(60) },
    );
  });

  test('takes no line for an error in which a long user name displaces the message', () => {
    const user = `" status="" FTM polling error: SSL session failed ${'x'.repeat(9_000)}`;
    const line = `<12>Aug 14 22:40:02 fac01 db[1]: category="Event" user="${user}" status="Failed" Login failed\n`;
    const { events, tally } = read([Buffer.from(line)]);
    expect(events.filter(({ kind }) => kind !== 'heard')).toEqual([]);
    expect(tally).toMatchObject({ ftm: 0, unparsed: 1 });
  });
});
