import { describe, expect, test } from 'vitest';
import { CHECKS } from '../../../src/checks/registry.ts';
import { renderDiagnosis } from '../../../src/report/report-text.ts';
import type { Assessment } from '../../../src/engine/model.ts';
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

function render(actual: string, style: { readonly color: boolean; readonly width: number }): string {
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
  return renderDiagnosis(diagnose(assessments, CONTEXT), style);
}

describe('renderDiagnosis()', () => {
  test('is plain without colour, and never wider than the terminal', () => {
    const text = render('re-signed', { color: false, width: 80 });
    expect(text).not.toContain('\u001B');
    // Command blocks are not wrapped, because they are copied.
    const long = text.split('\n').filter((line) => line.length > 80 && !/^ {17}\S/u.test(line));
    expect(long).toEqual([]);
  });

  test('prints a block of commands below its step, on lines of their own and without colour', () => {
    for (const style of [
      { color: false, width: 40 },
      { color: true, width: 40 },
    ]) {
      const lines = render('re-signed', style).split('\n');
      const at = lines.indexOf('                 config firewall address');
      expect(lines.slice(at, at + 3)).toEqual([
        '                 config firewall address',
        '                     edit "ftm-watch-FILL-IN-SOURCE-IP"',
        '                         set subnet FILL-IN-SOURCE-IP 255.255.255.255',
      ]);
      expect(lines).toContain('                 ftm-watch check -c /etc/ftm-watch/ftm-watch.yaml');
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
