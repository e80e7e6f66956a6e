import { describe, expect, test } from 'vitest';
import { configuredSubjects } from '../../../src/metrics/probe-series.ts';
import { openIncidents } from '../../../src/metrics/recorder.ts';
import { configOf } from '../../support/config/config-of.ts';
import { causeOf } from '../../support/checks/diagnosis-of.ts';

type Shown = Parameters<typeof openIncidents>[0][number];

function incident(subject: string, more: Partial<Shown> = {}): Shown {
  return { status: 'open', openedAt: 0, cause: causeOf('appliance-unreachable', { subject }), ...more };
}

const BOTH = new Set(['fac-1', 'fac-2']);

describe('open incidents', () => {
  test('of one cause are told apart by their subjects', () => {
    expect(openIncidents([incident('fac-1'), incident('fac-2')], BOTH)).toEqual([
      { cause: 'appliance-unreachable', severity: 'critical', subject: 'fac-1' },
      { cause: 'appliance-unreachable', severity: 'critical', subject: 'fac-2' },
    ]);
  });

  test('that are over are left out', () => {
    expect(openIncidents([incident('fac-1', { status: 'closed' })], BOTH)).toEqual([]);
  });

  test('are "other" together where the configuration does not name their subjects', () => {
    expect(openIncidents([incident('EFTM1'), incident('smtp.evil.example"} 1\n')], BOTH)).toEqual([
      { cause: 'appliance-unreachable', severity: 'critical', subject: 'other' },
    ]);
  });

  test('are 50 at most: the gravest, then the oldest', () => {
    const names = Array.from({ length: 60 }, (_, index) => `fac-${String(index)}`);
    const many = names.map((subject, index) => incident(subject, { openedAt: 1000 - index }));
    const note = incident('fac-9', { cause: causeOf('mail-slow', { severity: 'info', subject: 'fac-9' }) });
    const shown = openIncidents([note, ...many], new Set(names));
    expect(shown).toHaveLength(50);
    expect(shown.map(({ subject }) => subject)).toEqual(names.toReversed().slice(0, 50));
  });
});

describe('the configuration', () => {
  test('names appliances, licences, hosts with their ports, what is probed and the preconditions', async () => {
    const config = await configOf(
      'appliances: [{ name: fac-1, serial: FACVM0000000001, licenses: [EFTM000000000001] }]\n' +
        'services: [{ name: push, host: push.test }]',
    );
    const named = configuredSubjects(config, [{ probe: 'smtp', target: 'mail.test:25' }]);
    for (const subject of [
      'fac-1',
      'EFTM000000000001',
      'push.test:443',
      'fortitokenmobile.fortinet.com:443',
      'mail.test:25',
      'internet',
    ])
      expect([subject, named.has(subject)]).toEqual([subject, true]);
    for (const subject of ['', 'EFTM000000000002', '10.0.0.1 to 192.0.2.1'])
      expect([subject, named.has(subject)]).toEqual([subject, false]);
  });
});
