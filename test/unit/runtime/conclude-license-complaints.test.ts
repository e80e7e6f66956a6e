import { expect, test } from 'vitest';
import type { ApplianceObservation } from '../../../src/core/license/appliance.ts';
import type { FaultSeen } from '../../../src/checks/polling/judge.ts';
import type { AppliancePolling } from '../../../src/core/polling/report.ts';
import { conclude, NOTHING_REMEMBERED } from '../../../src/runtime/conclude.ts';
import { applianceFacts } from '../../support/checks/appliance-facts.ts';
import { configOf } from '../../support/config/config-of.ts';
import { round } from '../../support/checks/judged-round.ts';
import { pollingError } from '../../support/checks/polling-error.ts';
import { picture } from '../../support/checks/observed.ts';

const AT = Date.UTC(2026, 10, 24, 12);
const [LICENSE_1, LICENSE_2] = ['EFTM000000000001', 'EFTM000000000002'];
const SITE = `
appliances:
  - { name: fac-1, api: { url: 'https://10.0.0.5', user: api, keyEnv: SET_SECRET }, logSources: [10.0.0.5], licenses: [${LICENSE_1}] }
  - { name: fac-2, api: { url: 'https://10.0.0.6', user: api, keyEnv: SET_SECRET }, logSources: [10.0.0.6] }
registration: { user: monitor, passwordEnv: SET_SECRET }
logs: { syslog: { udp: '127.0.0.1:5514' } }
`;
const config = await configOf(SITE);
const tokens = (license: string): Parameters<typeof applianceFacts>[0] => {
  const value = {
    total: 32,
    byStatus: { new: 0, available: 30, pending: 0, assigned: 2, other: 0 },
    locked: { new: 0, available: 0, pending: 0, assigned: 0, other: 0 },
    withoutLicense: 0,
  };
  return { tokens: { kind: 'read', value: { ...value, byLicense: [{ license, tokens: 32 }] } } };
};

const ALONE_1 = applianceFacts();
const ALONE_2 = applianceFacts({ appliance: 'fac-2', system: { serial: 'FAC-B' }, ...tokens(LICENSE_2) });
const CLUSTER_1 = applianceFacts({ system: { peerSerial: 'FAC-B' } });
const CLUSTER_2 = applianceFacts({ appliance: 'fac-2', system: { serial: 'FAC-B', peerSerial: 'FAC-A' } });
const GONE: ApplianceObservation = { kind: 'denied', appliance: 'fac-2', endpoint: '10.0.0.6:443', status: 401 };

interface Case {
  readonly name: string;
  readonly units?: readonly [ApplianceObservation, ApplianceObservation];
  /** Serial of the unit that holds the first licence. */
  readonly holder: string;
  readonly complains: 'fac-1' | 'fac-2';
  readonly seen?: readonly FaultSeen[];
  readonly causes: readonly string[];
}

function causesOf({ units = [ALONE_1, ALONE_2], holder, complains, seen = [] }: Case): readonly string[] {
  const error = pollingError(AT, 'FTM provision error: token does not belong to product', {
    cause: 'license-on-other-unit',
  });
  const appliances = config.appliances.map(
    ({ name }): AppliancePolling => ({
      name,
      errors: name === complains ? [error] : [],
      lastLineAt: AT,
      reliableLineAt: AT,
      silent: false,
      silentFor: null,
    }),
  );
  const report = { window: 900_000, silentAfter: 86_400_000, appliances, firewallEvidence: [] };
  const ofUnits = ['polling', 'appliance', 'license-assignment', 'token-pool', 'firewall-policy'];
  const lookups = [
    { license: LICENSE_1, outcome: { kind: 'registered', serial: holder } },
    { license: LICENSE_2, outcome: { kind: 'registered', serial: 'FAC-B' } },
  ] as const;
  const known = picture({
    appliances: config.appliances.map((unit, index) => ({ config: unit, rest: units[index] ?? null, role: null })),
    registration: { kind: 'ok', lookups },
  });
  const { diagnosis } = conclude(
    { config, at: AT, probed: round().filter(({ id }) => !ofUnits.includes(id)), picture: known },
    { kind: 'heard', report, unknownSenders: [], ...NOTHING_REMEMBERED, faultsSeen: seen },
  );
  return diagnosis.causes
    .filter(({ severity }) => severity === 'critical')
    .map(({ id, subject }) => `${id} ${subject}`);
}

const FAULT = `license-on-other-unit ${LICENSE_1}`;
const SEEN: FaultSeen = { precondition: 'license-assignment', appliance: 'fac-1', since: 0, at: AT - 5000 };

test.each<Case>([
  { name: 'of the unit itself', holder: 'FAC-X', complains: 'fac-1', causes: [FAULT] },
  { name: 'of another unit', holder: 'FAC-X', complains: 'fac-2', causes: [FAULT, 'license-on-other-unit fac-2'] },
  { name: 'of its peer', units: [CLUSTER_1, CLUSTER_2], holder: 'FAC-X', complains: 'fac-2', causes: [FAULT] },
  { name: 'of one that may be its peer', units: [ALONE_1, GONE], holder: 'FAC-X', complains: 'fac-2', causes: [FAULT] },
  { name: 'of the unit, after it came home', holder: 'FAC-A', complains: 'fac-1', seen: [SEEN], causes: [] },
  {
    name: 'of another unit, after it came home',
    holder: 'FAC-A',
    complains: 'fac-2',
    seen: [SEEN],
    causes: ['license-on-other-unit fac-2'],
  },
  {
    name: 'of another unit, when nobody remembers whose it was',
    holder: 'FAC-A',
    complains: 'fac-2',
    seen: [{ ...SEEN, appliance: null }],
    causes: [],
  },
])('a licence elsewhere and a complaint $name', (one) => {
  expect(causesOf(one)).toEqual(one.causes);
});
