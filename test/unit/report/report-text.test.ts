import { describe, expect, test } from 'vitest';
import { activationOutlook } from '../../../src/checks/activation-steps.ts';
import { CHECKS, titleOf } from '../../../src/checks/registry.ts';
import { MARKS, renderDiagnosis, renderSteps } from '../../../src/report/report-text.ts';
import type { Assessment, Diagnosis } from '../../../src/engine/model.ts';
import { diagnose } from '../../../src/engine/diagnose.ts';

const CONTEXT = {
  site: 'hq',
  at: Date.UTC(2026, 10, 24, 13),
  host: 'server.test',
  port: 443,
  source: null,
  activation: { licenseActive: null, offlineSupported: null },
  checks: CHECKS,
  applianceUnaffected: false,
  configFile: '/etc/ftm-watch/ftm-watch.yaml',
};

function diagnosisOf(actual: string): Diagnosis {
  const assessments: readonly Assessment[] = [
    { id: 'internet', kind: 'judged', findings: [], summary: 'Control hosts accept connections' },
    {
      id: 'tls-genuine',
      kind: 'judged',
      findings: [
        {
          rule: 'r',
          subject: 'server.test:443',
          claim: actual,
          expected: 'x',
          actual,
          level: 'broken',
          suggests: 'tls-intercepted',
          facts: { product: 'Fortinet FortiGate' },
        },
      ],
      summary: '',
    },
    { id: 'license-server', kind: 'judged', findings: [], summary: 'The licence server answers' },
  ];
  return diagnose(assessments, CONTEXT);
}

function render(actual: string, style: { readonly color: boolean; readonly width: number }): string {
  return renderDiagnosis(diagnosisOf(actual), style);
}

const PLAIN = { color: false, width: 200 };

describe('renderDiagnosis()', () => {
  test('folds the checks that are OK or not configured into a line each, unless all are asked for', () => {
    const diagnosis = diagnosisOf('re-signed');
    const marks = (text: string): string =>
      text.replaceAll(/^ {2}(?:([✔!✘·?–]) .*)$|^.*$/gmu, '$1').replaceAll('\n', '');
    expect(marks(renderDiagnosis(diagnosis, PLAIN))).toBe('✘·––✔–');
    expect(renderDiagnosis(diagnosis, PLAIN)).toContain(`  ${MARKS.ok} 1 check OK: ${titleOf('internet')}\n`);
    expect(marks(renderDiagnosis(diagnosis, PLAIN, { all: true }))).toMatch(/^✔–*✘·–+$/u);
  });

  test('has the colour of a warning for a site that is ready with warnings', () => {
    const at = CONTEXT.at;
    const warned = diagnose([{ id: 'internet', kind: 'judged', findings: [], summary: '' }], CONTEXT);
    const incident = { id: '1', cause: 'mail-slow', subject: 'm:25', severity: 'warning', summary: 's' } as const;
    const named = { headline: 'h', remedy: [] };
    const seen = { since: new Date(at).toISOString(), lastSeen: new Date(at).toISOString(), isContradicted: true };
    const lastLine = (text: string): string => text.trimEnd().split('\n').at(-1) ?? '';
    expect(lastLine(renderDiagnosis(warned, { ...PLAIN, color: true }))).toContain('\u001B[32m');
    const unseen = [{ ...incident, ...named, ...seen }];
    expect(lastLine(renderDiagnosis(warned, { ...PLAIN, color: true }, { unseen }))).toContain('\u001B[33m');
  });

  test('is plain without colour, and never wider than the terminal', () => {
    const text = render('re-signed', { color: false, width: 80 });
    expect(text).not.toContain('\u001B');
    // Command blocks are not wrapped, because they are copied.
    const long = text.split('\n').filter((line) => line.length > 80 && !/^ {19}\S/u.test(line));
    expect(long).toEqual([]);
  });

  test('prints a block of commands below its step, on lines of their own and without colour', () => {
    for (const style of [
      { color: false, width: 40 },
      { color: true, width: 40 },
    ]) {
      const lines = render('re-signed', style).split('\n');
      const at = lines.indexOf('                   config firewall address');
      expect(lines.slice(at, at + 3)).toEqual([
        '                   config firewall address',
        '                       edit "ftm-watch-FILL-IN-SOURCE-IP"',
        '                           set subnet FILL-IN-SOURCE-IP 255.255.255.255',
      ]);
      expect(lines).toContain('                   ftm-watch check -c /etc/ftm-watch/ftm-watch.yaml');
    }
  });

  test('colours where asked', () => {
    expect(render('re-signed', { color: true, width: 80 })).toContain('\u001B[31m');
  });

  test('shows control characters of a stranger instead of obeying them', () => {
    const text = render('\u001B[2J\u202Eevil\r\nREADY', { color: false, width: 100 });
    expect(text).not.toContain('\u001B');
    expect(text).not.toContain('\u202E');
    expect(text.split('\n')).not.toContain('READY');
  });
});

describe('renderSteps()', () => {
  test.each([false, true])('repeats no sentence of the checklist and the causes above it (all: %s)', (all) => {
    const diagnosis = diagnosisOf('re-signed');
    const notConfigured = diagnosis.preconditions.find(({ state }) => state === 'not-configured')?.summary ?? '-';
    const above = renderDiagnosis(diagnosis, PLAIN, { all });
    const steps = renderSteps(diagnosis, PLAIN, { all });
    const reasons = activationOutlook(diagnosis)
      .steps.map(({ why }) => why)
      .filter((why) => !why.startsWith(notConfigured));
    const said = reasons.filter((why) => above.includes(why));
    expect(said.length).toBeGreaterThan(1);
    expect(reasons.filter((why) => above.includes(why) && steps.includes(why))).toEqual([]);
    expect(reasons.filter((why) => !above.includes(why) && !steps.includes(why))).toEqual([]);
  });
});
