import { describe, expect, test } from 'vitest';
import type { ApplianceClock } from '../../../src/core/license/appliance.ts';
import { factsAbout } from '../../../src/core/license/firmware.ts';
import type { PollingError } from '../../../src/core/polling/report.ts';
import type { Diagnosis } from '../../../src/engine/model.ts';
import { loadFirmwareFacts } from '../../../src/connectors/firmware-facts.ts';
import { applianceFacts } from '../../support/checks/appliance-facts.ts';
import { AT, concluded } from '../../support/checks/concluded.ts';
import { configOf } from '../../support/config/config-of.ts';
import { finding, type Special } from '../../support/checks/judged-round.ts';
import { pollingError } from '../../support/checks/polling-error.ts';

const shipped = await loadFirmwareFacts([]);
const config = await configOf(`
appliances:
  - { name: fac-1, api: { url: 'https://10.0.0.5', user: api, keyEnv: SET_SECRET }, logSources: [10.0.0.5] }
logs: { syslog: { udp: '127.0.0.1:5514' } }
`);

interface Site {
  readonly version: string;
  readonly memoryKb?: number;
  readonly clock?: ApplianceClock;
  readonly errors?: readonly PollingError[];
  readonly special?: readonly Special[];
}

function diagnosisOf({ version, memoryKb = 4_032_452, clock, errors = [], special = [] }: Site): Diagnosis {
  const firmware = `FACVMKVM v${version}, build0099 (GA)`;
  const rest = applianceFacts({ system: { firmware, memoryKb }, clock: clock ?? null });
  const estimate = { offsetMs: 0, precisionMs: 20, supporters: ['ntp.test:123'], trusted: true };
  const units = config.appliances.map((unit) => ({
    config: unit,
    rest,
    role: null,
    known: factsAbout(firmware, shipped),
  }));
  return concluded({
    config,
    errors: { 'fac-1': errors },
    found: special,
    seen: { appliances: units },
    ownClock: { estimate, clockBase: 0 },
  }).diagnosis;
}

const OUTAGE: Special = ['tls-genuine', [finding('tls-intercepted')]];
const RESTART =
  /Do not restart fac-1 \(6\.5\.4\): a restart while the FortiToken Mobile servers cannot be reached leaves tokens Pending/u;

describe('during an outage', () => {
  test('every cause of it says not to restart a unit whose firmware does harm then', () => {
    const { causes } = diagnosisOf({ version: '6.5.4', special: [OUTAGE] });
    expect(causes.map(({ id }) => id)).toEqual(['tls-intercepted']);
    expect(causes[0]?.summary).toMatch(RESTART);
    const errors = [pollingError(AT, 'FTM polling error: connection timeout')];
    const complaining = diagnosisOf({ version: '6.5.4', errors });
    expect(complaining.causes.map(({ id }) => id)).toEqual(['polling-failing']);
    expect(complaining.causes[0]?.summary).toMatch(RESTART);
  });

  test.each(['6.5.5', '6.6.1', '8.0.3'])('nothing of it where the firmware is %s', (version) => {
    const { causes } = diagnosisOf({ version, special: [OUTAGE] });
    expect(causes[0]?.summary).not.toContain('restart');
  });

  test('nor in what is no outage', () => {
    const { causes } = diagnosisOf({ version: '6.5.4', special: [['mail', [finding('mail-unreachable')]]] });
    expect(causes[0]?.summary).not.toContain('restart');
  });
});

describe('too little memory', () => {
  const errors = [pollingError(AT, 'FTM provision error: connection timeout')];
  const OTHER_REASON = /Low memory is another possible reason, .*: fac-1 has 1\.9 GB, but firmware 6\.6\.9 needs 4 GB/u;

  test('is a warning by itself', () => {
    const { causes, ready } = diagnosisOf({ version: '6.6.9', memoryKb: 2_029_704 });
    expect(ready).toBe('ready');
    expect(causes).toHaveLength(1);
    expect(causes[0]).toMatchObject({
      id: 'appliance-memory-low',
      severity: 'warning',
      subject: 'memory of fac-1',
      summary: expect.stringContaining('fac-1 has 1.9 GB of memory'),
    });
    expect(diagnosisOf({ version: '6.4.10', memoryKb: 2_029_704 }).causes).toEqual([]);
  });

  test('and a wrong clock are two faults', () => {
    const clock = { offsetMs: 25_000, precisionMs: 600, answers: 6, clockBase: 0 };
    const { causes } = diagnosisOf({ version: '6.6.9', memoryKb: 2_029_704, clock });
    expect(causes.map(({ id, subject }) => `${id} ${subject}`)).toEqual([
      'appliance-clock-skewed clock of fac-1',
      'appliance-memory-low memory of fac-1',
    ]);
  });

  test('is offered as another reason of failing polling, which stays critical', () => {
    const { causes } = diagnosisOf({ version: '6.6.9', memoryKb: 2_029_704, errors });
    expect(causes.map(({ id, severity, confidence }) => `${id} ${severity} ${confidence}`)).toEqual([
      'polling-failing critical confirmed',
      'appliance-memory-low warning confirmed',
    ]);
    expect(causes[0]?.evidence.join('\n')).toMatch(OTHER_REASON);
    const enough = diagnosisOf({ version: '6.6.9', errors });
    expect(enough.causes.map(({ id }) => id)).toEqual(['polling-failing']);
    expect(enough.causes[0]?.evidence.join('\n')).not.toContain('memory');
  });

  test('is offered as another reason of failing push, which stays critical', () => {
    const push = finding('push-unreachable', {
      subject: 'push.fortinet.com:443',
      facts: { host: 'push.fortinet.com' },
    });
    const { causes } = diagnosisOf({ version: '6.6.9', memoryKb: 2_029_704, special: [['delivery', [push]]] });
    expect(causes.map(({ id, severity }) => `${id} ${severity}`)).toEqual([
      'push-unreachable critical',
      'appliance-memory-low warning',
    ]);
    expect(causes[0]?.evidence.join('\n')).toMatch(OTHER_REASON);
  });
});
