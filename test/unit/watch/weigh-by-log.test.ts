import { describe, expect, test } from 'vitest';
import type { FaultId } from '../../../src/core/cause.ts';
import type { Finding } from '../../../src/core/finding.ts';
import type { PollingReport } from '../../../src/core/polling/report.ts';
import { weighByLog } from '../../../src/watch/weigh-by-log.ts';

const flaw = (level: Finding['level'], rule = 'chain-has-no-flaw'): Finding => ({
  rule,
  subject: 'license.example.test:443',
  expected: 'A chain that TLS clients take',
  actual: 'CN=Sub is not for TLS servers',
  level,
  suggests: 'certificate-broken',
});

const complaining = (cause: FaultId | null): PollingReport => ({
  window: 900_000,
  silentAfter: 900_000,
  firewallEvidence: [],
  appliances: [
    {
      name: 'fac-1',
      lastLineAt: 1,
      silent: false,
      silentFor: null,
      errors: [
        {
          signature: 's',
          cause,
          severity: 'critical',
          summary: '',
          remedy: [],
          count: 1,
          firstAt: 1,
          lastAt: 1,
          moments: [1],
          reliable: true,
          perHour: 4,
          sample: '',
        },
      ],
    },
  ],
});
const quiet: PollingReport = { ...complaining(null), appliances: [] };

describe('weighByLog()', () => {
  test.each([
    {
      name: 'a warning is broken with a complaint',
      level: 'warning',
      cause: 'tls-interception-suspected',
      unaffected: false,
      to: 'broken',
    },
    { name: 'also with one that says no more', level: 'warning', cause: 'polling-failing', unaffected: false, to: 'broken' },
    { name: 'a complaint of something else is none', level: 'warning', cause: 'license-not-registered', unaffected: false, to: 'warning' },
    { name: 'what is new is a warning while FortiAuthenticator is content', level: 'broken', cause: null, unaffected: true, to: 'warning' },
    { name: 'what is new is broken without a log', level: 'broken', cause: null, unaffected: false, to: 'broken' },
  ] as const)('$name', ({ level, cause, unaffected, to }) => {
    const [weighed] = weighByLog([flaw(level)], cause === null ? quiet : complaining(cause), unaffected);
    expect(weighed?.level).toBe(to);
  });

  test('weighs an inspection of TLS 1.2 alone in the same way', () => {
    const [weighed] = weighByLog([flaw('warning', 'older-tls-is-not-inspected')], complaining('polling-failing'), false);
    expect(weighed?.level).toBe('broken');
  });

  test('leaves other findings alone', () => {
    const other = flaw('warning', 'certificate-is-in-date');
    expect(weighByLog([other], complaining('polling-failing'), false)).toEqual([other]);
  });
});
