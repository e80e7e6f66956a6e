import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { diagnosisToJson } from '../../../src/checks/diagnosis-json.ts';
import { prtgAnswer, prtgError } from '../../../src/document/prtg.ts';
import { CHECK_EXIT, type Looked, type OpenIncident, siteState } from '../../../src/document/site-state.ts';
import type { Cause, Diagnosis, Quantity } from '../../../src/engine/model.ts';
import { capital } from '../../../src/engine/words.ts';
import { causeOf, diagnosisOf } from '../../support/checks/diagnosis-of.ts';
import { createPrtgSensor, readLookup, type SensorView } from '../../support/monitoring/prtg-sensor.ts';
import { samples } from '../../support/random/samples.ts';

const AT = Date.UTC(2026, 10, 24, 13);
const MINUTE = 60_000;
const LOOKUPS = readLookup(new URL('../../../deploy/prtg/ftm.watch.state.ovl', import.meta.url).pathname);
const STATES = { 0: 'Up', 1: 'Warning', 2: 'Down', 3: 'Warning' } as const;

function daemon(incidents: readonly OpenIncident[] = [], age = 12_000): Looked {
  return { by: 'daemon', incidents, now: AT + age, longest: 15 * MINUTE };
}

function incident(more: Partial<OpenIncident> = {}): OpenIncident {
  const { subject, summary } = causeOf('egress-blocked');
  const seen = new Date(AT).toISOString();
  const own = {
    id: '1',
    cause: 'egress-blocked',
    headline: 'Blocked',
    remedy: ['Open it.'],
    since: seen,
    lastSeen: seen,
  };
  return { ...own, severity: 'critical', subject, summary, ...more };
}

function seen(diagnosis: Diagnosis, looked: Looked, lookups = LOOKUPS): SensorView {
  return createPrtgSensor(lookups).scan(JSON.stringify(prtgAnswer(diagnosisToJson(diagnosis), looked)));
}

const CRITICAL = diagnosisOf(AT, [causeOf('tls-intercepted'), causeOf('mail-slow', { severity: 'warning' })]);
const WARNING = diagnosisOf(AT, [causeOf('mail-slow', { severity: 'warning' })]);
const CLEAN = diagnosisOf(AT, []);
const BLIND: Diagnosis = { ...diagnosisOf(AT, [], { internet: 'unknown' }), ready: 'unknown' };

describe('prtgAnswer()', () => {
  test.each<readonly [string, Diagnosis, Looked, number]>([
    ['ready', CLEAN, daemon(), CHECK_EXIT.ready],
    ['ready with warnings', WARNING, daemon(), CHECK_EXIT.warnings],
    ['ready, while an incident is open', CLEAN, daemon([incident()]), CHECK_EXIT.warnings],
    ['not ready', CRITICAL, daemon([incident()]), CHECK_EXIT.notReady],
    ['unknown', BLIND, daemon(), CHECK_EXIT.unknown],
    ['unknown, while an incident is open', BLIND, daemon([incident()]), CHECK_EXIT.notReady],
    ['not ready long ago', CRITICAL, daemon([incident()], 20 * MINUTE), CHECK_EXIT.unknown],
    ['not ready, without a daemon', CRITICAL, { by: 'itself' }, CHECK_EXIT.notReady],
  ])('%s: the sensor has the state that the plugin has', (_, diagnosis, looked, state) => {
    const { exitCode, text, remedy } = siteState(diagnosisToJson(diagnosis), looked);
    const view = seen(diagnosis, looked);
    expect([exitCode, view.channels.get('State'), view.state]).toEqual([state, state, STATES[exitCode]]);
    expect(view.message).toContain(capital(text));
    expect(view.message).toContain(remedy ?? '');
  });

  test('names the most severe cause as mails do, and its first step', () => {
    const [cause] = diagnosisToJson(CRITICAL).causes;
    expect(seen(CRITICAL, daemon()).message).toBe(`${cause?.headline ?? ''}. ${cause?.remedy[0] ?? ''}`);
  });

  test('repeats no step of a fault that no longer exists', () => {
    const [step = ''] = incident().remedy;
    expect(seen(BLIND, daemon([incident()])).message).toContain(step);
    expect(seen(CLEAN, daemon([incident()])).message).not.toContain(step);
  });

  test('alerts also if the lookup file is not installed', () => {
    const states = [CLEAN, WARNING, CRITICAL].map((diagnosis) => seen(diagnosis, daemon(), new Map()).state);
    expect(states).toEqual(['Up', 'Warning', 'Down']);
  });

  test('has a channel for each number, except for those of an old round', () => {
    const quantities: readonly Quantity[] = Array.from({ length: 60 }, (_, index) => ({
      id: 'certificate-days',
      subject: `server-${String(index)}:443`,
      value: index - 1,
      unit: 'days',
    }));
    const tokens = { id: 'tokens-free', subject: 'fac-1', value: 30, unit: 'tokens' } as const;
    const { channels } = seen({ ...CRITICAL, quantities: [...quantities, tokens] }, daemon());
    expect(channels.size).toBe(50);
    expect(Object.fromEntries([...channels].slice(0, 6))).toEqual({
      State: 2,
      'Round age': 12,
      'Causes (critical)': 1,
      'Causes (warning)': 1,
      'Tokens free (fac-1)': 30,
      'Certificate (server-0:443)': -1,
    });
    expect([...seen({ ...CRITICAL, quantities }, daemon([], 20 * MINUTE)).channels.keys()]).toEqual([
      'State',
      'Round age',
    ]);
  });

  /** Includes unpaired surrogates and control characters. */
  const ANY_CHARACTER = fc.integer({ min: 0, max: 0x10_ff_ff }).map((code) => String.fromCodePoint(code));
  const SPECIAL = fc.constantFrom('"', "'", '|', '\n', '\r\n', '#', '<b>', '\\', '{', '\u0000', '\u202E', '€', '🔥');
  const hostile = fc
    .tuple(fc.array(fc.oneof(ANY_CHARACTER, SPECIAL), { minLength: 1, maxLength: 40 }), fc.constantFrom(1, 80))
    .map(([pieces, times]) => pieces.join('').repeat(times));

  test('keeps its format, whatever the name of a certificate contains', () => {
    fc.assert(
      fc.property(hostile, fc.constantFrom<Cause['severity']>('critical', 'warning'), (text, severity) => {
        const more = { severity, product: text, observed: text, subject: text, summary: text, remedy: [text] };
        const quantities = [text, `${text}.`].map(
          (subject) => ({ id: 'tokens-free', subject, value: 1, unit: 'tokens' }) as const,
        );
        const diagnosis = { ...diagnosisOf(AT, [causeOf('tls-interception-suspected', more)]), quantities };
        for (const looked of [daemon(), daemon([incident({ headline: text, remedy: [text] })])])
          expect(seen(diagnosis, looked).state).toBe(severity === 'critical' ? 'Down' : 'Warning');
        expect(createPrtgSensor(LOOKUPS).scan(JSON.stringify(prtgError(`x${text}`))).state).toBe('Down');
      }),
      { numRuns: samples(200) },
    );
  });
});
