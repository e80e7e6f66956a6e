import { expect, test } from 'vitest';
import type { ApplianceObservation } from '../../../src/core/license/appliance.ts';
import type { FaultSeen } from '../../../src/checks/check.ts';
import { applianceFacts } from '../../support/checks/appliance-facts.ts';
import { AT, concluded } from '../../support/checks/concluded.ts';
import { tokens } from '../../support/checks/judged-tokens.ts';
import { configOf } from '../../support/config/config-of.ts';
import { pollingError } from '../../support/checks/polling-error.ts';

const [LICENSE_1, LICENSE_2] = ['EFTM000000000001', 'EFTM000000000002'];
const SITE = `
appliances:
  - { name: fac-1, api: { url: 'https://10.0.0.5', user: api, keyEnv: SET_SECRET }, logSources: [10.0.0.5], licenses: [${LICENSE_1}] }
  - { name: fac-2, api: { url: 'https://10.0.0.6', user: api, keyEnv: SET_SECRET }, logSources: [10.0.0.6] }
registration: { user: monitor, passwordEnv: SET_SECRET }
logs: { syslog: { udp: '127.0.0.1:5514' } }
`;
const config = await configOf(SITE);
const SECOND_TOKENS = tokens(30, 2, { byLicense: [{ license: LICENSE_2, tokens: 32 }] });
const ALONE_1 = applianceFacts();
const ALONE_2 = applianceFacts({ appliance: 'fac-2', system: { serial: 'FAC-B' }, tokens: SECOND_TOKENS });
const CLUSTER_1 = applianceFacts({ system: { peerSerial: 'FAC-B' } });
const CLUSTER_2 = applianceFacts({ appliance: 'fac-2', system: { serial: 'FAC-B', peerSerial: 'FAC-A' } });
const GONE: ApplianceObservation = { kind: 'denied', appliance: 'fac-2', endpoint: '10.0.0.6:443', status: 401 };

interface Case {
  readonly units?: readonly [ApplianceObservation, ApplianceObservation];
  /** Serial of the unit that holds the first licence. */
  readonly holder: string;
  readonly complains: 'fac-1' | 'fac-2';
  readonly seen?: readonly FaultSeen[];
}

function causesOf({ units = [ALONE_1, ALONE_2], holder, complains, seen = [] }: Case): readonly string[] {
  const error = pollingError(AT, 'FTM provision error: token does not belong to product', {
    cause: 'license-on-other-unit',
  });
  const lookups = [
    { license: LICENSE_1, outcome: { kind: 'registered', serial: holder } },
    { license: LICENSE_2, outcome: { kind: 'registered', serial: 'FAC-B' } },
  ] as const;
  const { diagnosis } = concluded({
    config,
    errors: { [complains]: [error] },
    seen: {
      appliances: config.appliances.map((unit, index) => ({ config: unit, rest: units[index] ?? null, role: null })),
      registration: { kind: 'ok', lookups },
    },
    remembered: { faultsSeen: seen },
  });
  return diagnosis.causes
    .filter(({ severity }) => severity === 'critical')
    .map(({ id, subject }) => `${id} ${subject}`);
}

const FAULT = `license-on-other-unit ${LICENSE_1}`;
const SEEN: FaultSeen = { precondition: 'license-assignment', appliance: 'fac-1', since: 0, at: AT - 5000 };

const MOVED = { holder: 'FAC-X', complains: 'fac-2' } as const;
const HOME = { holder: 'FAC-A', complains: 'fac-2', seen: [SEEN] } as const;

test.each<readonly [string, Case, readonly string[]]>([
  ['of the unit itself', { ...MOVED, complains: 'fac-1' }, [FAULT]],
  ['of another unit', MOVED, [FAULT, 'license-on-other-unit fac-2']],
  ['of its peer', { ...MOVED, units: [CLUSTER_1, CLUSTER_2] }, [FAULT]],
  ['of one that may be its peer', { ...MOVED, units: [ALONE_1, GONE] }, [FAULT]],
  ['of the unit, after it came home', { ...HOME, complains: 'fac-1' }, []],
  ['of another unit, after it came home', HOME, ['license-on-other-unit fac-2']],
  ['of another unit, when nobody remembers whose it was', { ...HOME, seen: [{ ...SEEN, appliance: null }] }, []],
])('a licence elsewhere and a complaint %s', (_, one, causes) => {
  expect(causesOf(one)).toEqual(causes);
});
