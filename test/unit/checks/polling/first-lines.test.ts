import { expect, test } from 'vitest';
import type { AppliancePolling } from '../../../../src/core/polling/report.ts';
import { configOf } from '../../../support/config/config-of.ts';
import { judgeLog } from '../../../support/checks/judged-log.ts';

const LOGS = { syslog: { udp: '10.0.0.9:514' }, files: ['/var/log/fac.log'] };

function appliance(name: string, more: Partial<AppliancePolling> = {}): AppliancePolling {
  return { name, errors: [], lastLineAt: null, reliableLineAt: null, silent: false, silentFor: null, ...more };
}

async function waitsFor(
  appliances: readonly AppliancePolling[],
  { logs = LOGS, unknownSenders = [] }: { readonly logs?: object; readonly unknownSenders?: readonly string[] } = {},
) {
  const config = await configOf({ logs });
  const report = { window: 1, silentAfter: 1, appliances, firewallEvidence: [] };
  return judgeLog(report, { config, unknownSenders }).filter(({ rule }) => rule === 'first-line-arrived');
}

test('waits for the first line of each appliance that has said nothing', async () => {
  const seen = [appliance('fac-1'), appliance('fac-2', { lastLineAt: 1 }), appliance('fac-3', { silent: true })];
  expect(await waitsFor(seen)).toEqual([
    {
      rule: 'first-line-arrived',
      subject: 'fac-1',
      claim: 'Waiting for the first log line (listening on UDP 10.0.0.9:514, reading /var/log/fac.log).',
      expected: 'A log line from FortiAuthenticator',
      level: 'unknown',
      suggests: null,
      explainedBy: [],
    },
  ]);
  expect(await waitsFor([appliance('fac-2', { lastLineAt: 1 })])).toEqual([]);
});

test('waits for the log where no appliance is known', async () => {
  expect((await waitsFor([])).map(({ subject }) => subject)).toEqual(['the log']);
});

test.each([
  [
    'every way',
    { syslog: { udp: '10.0.0.9:514', tcp: '10.0.0.9:601' } },
    'listening on UDP 10.0.0.9:514 and TCP 10.0.0.9:601',
  ],
  ['files alone', { files: ['/a', '/b'] }, 'reading /a, reading /b'],
])('names %s that it listens on', async (_, logs, places) => {
  const [finding] = await waitsFor([], { logs });
  expect(finding?.claim).toBe(`Waiting for the first log line (${places}).`);
});

test('names the first ones whose lines were refused', async () => {
  const unknownSenders = ['1', '2', '3', '4', '5', '6', '7'].map((last) => `10.0.0.${last}`);
  const [finding] = await waitsFor([], { unknownSenders });
  expect(finding?.claim).toMatch(/ lines from unknown senders were rejected: 10.0.0.1, .*10.0.0.5 and 2 more\.$/u);
});
