import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { diagnosisToJson } from '../../../src/checks/diagnosis-json.ts';
import { pluginAnswer, pluginUnknown } from '../../../src/report/nagios-line.ts';
import type { OpenIncident } from '../../../src/document/site-state.ts';
import { causeOf, diagnosisOf } from '../../support/checks/diagnosis-of.ts';
import { type PluginOutput, readPluginOutput } from '../../support/monitoring/plugin-output.ts';

type Looked = Parameters<typeof pluginAnswer>[1];

const AT = Date.UTC(2026, 10, 24, 13);
const MINUTE = 60_000;
const OWN: Looked = { by: 'itself' };
const INTERCEPTED = diagnosisToJson(diagnosisOf(AT, [causeOf('tls-intercepted')]));
const CLEAN = diagnosisToJson(diagnosisOf(AT, []));

/** Includes unpaired surrogates. */
const ANY_CHARACTER = fc.integer({ min: 0, max: 0x10_ff_ff }).map((code) => String.fromCodePoint(code));

function daemon(incidents: readonly OpenIncident[] = [], age = 12_000): Looked {
  return { by: 'daemon', incidents, now: AT + age, longest: 15 * MINUTE };
}

function incident(more: Partial<OpenIncident> = {}): OpenIncident {
  return {
    id: '20261124T110705-a-1',
    cause: 'mail-recipient-rejected',
    subject: 'mail:25',
    severity: 'critical',
    summary: 'Mail is refused.',
    headline: 'Refused',
    remedy: [],
    since: '2026-11-24T11:07:00.000Z',
    lastSeen: '2026-11-24T12:59:30.000Z',
    ...more,
  };
}

/** Returns the parsed output and the exit code. */
function told(...given: Parameters<typeof pluginAnswer>): PluginOutput & { readonly exitCode: number } {
  const { text, exitCode } = pluginAnswer(...given);
  return { ...readPluginOutput(text), exitCode };
}

describe('pluginAnswer()', () => {
  test('is OK while all is fine', () => {
    expect(told(CLEAN, daemon())).toMatchObject({ status: 'OK', exitCode: 0 });
  });

  test('names the gravest cause, and how many more there are', () => {
    const warning = causeOf('mail-slow', { severity: 'warning' });
    const both = diagnosisToJson(diagnosisOf(AT, [warning, causeOf('tls-intercepted', { summary: 'It is read.' })]));
    expect(told(both, daemon())).toMatchObject({ status: 'CRITICAL', exitCode: 2 });
    expect(told(both, daemon()).text).toMatch(/^It is read .*\b1\b/u);
  });

  test('says since when, once an incident is open, and names nothing twice', () => {
    const open = incident({ summary: 'Summary of tls-intercepted' });
    expect(told(INTERCEPTED, daemon([open])).text).toMatch(/^Summary of tls-intercepted, .* 2026-11-24 11:07:00 UTC$/u);
  });

  test('warns of an incident that is still open while everything works', () => {
    expect(told(CLEAN, daemon([incident()]))).toMatchObject({ status: 'WARNING', exitCode: 1 });
    expect(told(CLEAN, daemon([incident()])).text).toContain('Mail is refused');
    expect(told(CLEAN, daemon([incident({ severity: 'warning' })]))).toMatchObject({ status: 'WARNING', exitCode: 1 });
    expect(told(CLEAN, daemon([incident({ severity: 'info' })]))).toMatchObject({ status: 'OK', exitCode: 0 });
  });

  test('warns of a precondition that has no cause', () => {
    const warned = diagnosisOf(AT, [], { 'license-server': 'warning' });
    const preconditions = warned.preconditions.map((one) => ({ ...one, summary: 'It differs.' }));
    expect(told(diagnosisToJson({ ...warned, preconditions }), daemon())).toMatchObject({
      status: 'WARNING',
      exitCode: 1,
      text: 'Licence server: It differs',
    });
  });

  test('is UNKNOWN where the round could not tell, but not while something confirmed is open', () => {
    const blind = { ...diagnosisToJson(diagnosisOf(AT, [], { internet: 'unknown' })), ready: 'unknown' } as const;
    expect(told(blind, daemon())).toMatchObject({ status: 'UNKNOWN', exitCode: 3, text: 'Internet: ' });
    expect(told(blind, daemon([incident()]))).toMatchObject({ status: 'CRITICAL', exitCode: 2 });
  });

  test('is UNKNOWN when the last round is too old, whatever it saw', () => {
    for (const seen of [CLEAN, INTERCEPTED]) {
      expect(told(seen, daemon([], 15 * MINUTE))).not.toMatchObject({ status: 'UNKNOWN' });
      expect(told(seen, daemon([], 15 * MINUTE + 1))).toMatchObject({ status: 'UNKNOWN', exitCode: 3 });
    }
  });

  test('counts, and tells the age of the round in seconds', () => {
    const { data } = told(INTERCEPTED, daemon([incident(), incident({ severity: 'info' })]));
    expect(data.get('causes_critical')).toEqual({ value: 1, unit: '', warn: '', crit: '0', min: '0', max: '' });
    expect(data.get('incidents_open')?.value).toBe(1);
    expect(data.get('round_age')).toMatchObject({ value: 12, unit: 's', crit: '~:900' });
    expect(data.get('preconditions_broken')?.value).toBe(1);
  });

  test('does not count the incidents of a daemon that is not there', () => {
    expect([...told(CLEAN, OWN).data.keys()]).not.toContain('incidents_open');
  });

  test('has no age below zero when the clock was set back', () => {
    expect(told(CLEAN, daemon([], -MINUTE)).data.get('round_age')?.value).toBe(0);
  });

  test('is one line that follows the guidelines, whatever a stranger wrote', () => {
    fc.assert(
      fc.property(fc.array(ANY_CHARACTER, { maxLength: 80 }), fc.constantFrom(1, 20), (piece, times) => {
        const summary = piece.join('').repeat(times);
        const seen = {
          ...CLEAN,
          ready: 'not-ready',
          causes: diagnosisToJson(diagnosisOf(AT, [causeOf('tls-intercepted', { summary: `x${summary}` })])).causes,
        } as const;
        for (const { text } of [pluginAnswer(seen, daemon()), pluginUnknown(`x${summary}`)]) {
          readPluginOutput(text);
          expect(text).not.toMatch(/[<>`$]/u);
          expect(text.length).toBeLessThan(1_000);
        }
      }),
    );
  });
});
