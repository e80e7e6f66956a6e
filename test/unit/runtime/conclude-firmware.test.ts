import { describe, expect, test } from 'vitest';
import type { ApplianceClock } from '../../../src/core/license/appliance.ts';
import { factsAbout } from '../../../src/core/license/firmware.ts';
import type { PollingError } from '../../../src/core/polling/report.ts';
import type { Diagnosis } from '../../../src/engine/model.ts';
import { loadFirmwareFacts } from '../../../src/connectors/firmware-facts.ts';
import { applianceFacts } from '../../support/checks/appliance-facts.ts';
import { AT, concluded } from '../../support/checks/concluded.ts';
import { configOf } from '../../support/config/config-of.ts';
import { type Shown, targetFacts } from '../../support/checks/facts.ts';
import { finding } from '../../support/checks/judged-round.ts';
import { UNREACHABLE } from '../../support/checks/mail-seen.ts';
import { endpoint, failed, path } from '../../support/checks/observed.ts';
import { pollingError } from '../../support/checks/polling-error.ts';

const shipped = await loadFirmwareFacts([]);
const config = await configOf(`
appliances:
  - { name: fac-1, api: { url: 'https://10.0.0.5', user: api, keyEnv: SET_SECRET }, logSources: [10.0.0.5] }
logs: { syslog: { udp: '127.0.0.1:5514' } }
`);
const [PUSH_HOST] = (
  await configOf('services: [{ name: push, host: push.fortinet.com, carries: push, severity: critical }]')
).services;

interface Site {
  readonly version: string;
  readonly memoryKb?: number;
  readonly clock?: ApplianceClock;
  readonly errors?: readonly PollingError[];
  readonly shows?: Shown;
}

function diagnosisOf({ version, memoryKb = 4_032_452, clock, errors = [], shows = {} }: Site): Diagnosis {
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
    shows,
    seen: { appliances: units },
    ownClock: { estimate, clockBase: 0 },
  }).diagnosis;
}

const OUTAGE: Shown = { tls: [finding('tls-intercepted')] };
const RESTART =
  /Do not restart fac-1 \(6\.5\.4\): a restart while the FortiToken Mobile servers cannot be reached leaves tokens Pending/u;

describe('during an outage', () => {
  test('every cause of it says not to restart a unit whose firmware does harm then', () => {
    const { causes } = diagnosisOf({ version: '6.5.4', shows: OUTAGE });
    expect(causes.map(({ id }) => id)).toEqual(['tls-intercepted']);
    expect(causes[0]?.summary).toMatch(RESTART);
    const errors = [pollingError(AT, 'FTM polling error: connection timeout')];
    const complaining = diagnosisOf({ version: '6.5.4', errors });
    expect(complaining.causes.map(({ id }) => id)).toEqual(['polling-failing']);
    expect(complaining.causes[0]?.summary).toMatch(RESTART);
  });

  test.each(['6.5.5', '6.6.1', '8.0.3'])('nothing of it where the firmware is %s', (version) => {
    const { causes } = diagnosisOf({ version, shows: OUTAGE });
    expect(causes[0]?.summary).not.toContain('restart');
  });

  test('nor in what is no outage', () => {
    const { causes } = diagnosisOf({ version: '6.5.4', shows: { mail: [UNREACHABLE] } });
    expect(causes[0]?.summary).not.toContain('restart');
  });
});

describe('too little memory', () => {
  const errors = [pollingError(AT, 'FTM provision error: connection timeout')];
  const shut = { ...endpoint('192.0.2.1', failed('timeout')), target: 'push.fortinet.com:443' };
  const push = targetFacts({ path: path({ endpoints: [shut] }), service: PUSH_HOST ?? null });
  const clock = { offsetMs: 25_000, precisionMs: 600, answers: 6, clockBase: 0 };
  const low: Site = { version: '6.6.9', memoryKb: 2_029_704 };
  const LOW = 'appliance-memory-low warning memory of fac-1';

  const POLLING = 'polling-failing critical fac-1';
  const PUSH = 'push-unreachable critical push.fortinet.com:443';

  test.each<readonly [string, Site, readonly string[], isReason: boolean]>([
    ['is a warning by itself', low, [LOW], true],
    ['is none for firmware that needs less', { ...low, version: '6.4.10' }, [], false],
    ['and a wrong clock are two', { ...low, clock }, ['appliance-clock-skewed warning clock of fac-1', LOW], false],
    ['is another reason of failing polling, which stays critical', { ...low, errors }, [POLLING, LOW], true],
    ['is none of failing polling where it is enough', { version: '6.6.9', errors }, [POLLING], false],
    [
      'is another reason of failing push, which stays critical',
      { ...low, shows: { services: [push] } },
      [PUSH, LOW],
      true,
    ],
  ])('%s', (_, ...[site, expected, isReason]) => {
    const { causes } = diagnosisOf(site);
    expect(causes.map(({ id, severity, subject }) => `${id} ${severity} ${subject}`)).toEqual(expected);
    expect(causes[0]?.evidence.some((line) => line.includes('1.9 GB')) ?? false).toBe(isReason);
  });
});
