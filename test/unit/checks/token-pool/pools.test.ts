import { describe, expect, it } from 'vitest';
import type {
  ApplianceFacts,
  ApplianceObservation,
  HaRoleObservation,
  haRoleOf,
} from '../../../../src/core/license/appliance.ts';
import type { Assessment } from '../../../../src/engine/model.ts';
import { assessUnits } from '../../../../src/checks/assess.ts';
import { applianceFacts } from '../../../support/checks/appliance-facts.ts';
import { configOf } from '../../../support/config/config-of.ts';
import { role } from '../../../support/checks/license-bench.ts';
import { picture } from '../../../support/checks/observed.ts';

type HaRole = NonNullable<ReturnType<typeof haRoleOf>>;

const API = 'api: { url: "https://10.0.0.5", user: reader, keyEnv: SET_SECRET }';
const PAIR = `
appliances:
  - { name: fac-1, serial: FAC-A, peerSerial: FAC-B, licenses: [EFTM000000000001], ${API} }
  - { name: fac-2, serial: FAC-B, peerSerial: FAC-A, licenses: [EFTM000000000002], ${API} }
`;
const DENIED: ApplianceObservation = { kind: 'denied', appliance: 'fac-1', endpoint: '10.0.0.5:443', status: 401 };

interface Seen {
  readonly rest: ApplianceObservation;
  readonly role?: HaRoleObservation;
}

function exhausted(appliance: string, serial: string, peerSerial: string | null): ApplianceFacts {
  const tokens = {
    total: 32,
    byStatus: { new: 0, available: 0, pending: 0, assigned: 32, other: 0 },
    byLicense: [{ license: 'EFTM000000000001', tokens: 32 }],
    locked: { new: 0, available: 0, pending: 0, assigned: 0, other: 0 },
    withoutLicense: 0,
  };
  return applianceFacts({ appliance, system: { serial, peerSerial }, tokens: { kind: 'read', value: tokens } });
}

async function tokenPool(seen: readonly Seen[]): Promise<Assessment['findings']> {
  const config = await configOf(PAIR);
  const units = config.appliances.flatMap((unit, index) => {
    const one = seen[index];
    return one === undefined ? [] : [{ config: unit, rest: one.rest, role: one.role ?? null }];
  });
  const facts = { config, picture: picture({ appliances: units }), at: 0, speaking: [] };
  return assessUnits(facts).find(({ id }) => id === 'token-pool')?.findings ?? [];
}

async function told(...seen: readonly Seen[]): Promise<readonly string[]> {
  return (await tokenPool(seen))
    .filter(({ level }) => level !== 'note')
    .map(({ subject, suggests, level }) => `${subject} ${suggests ?? level}`);
}

const first = exhausted('fac-1', 'FAC-A', 'FAC-B');
const second = exhausted('fac-2', 'FAC-B', 'FAC-A');
const says = (value: HaRole, serial: string): HaRoleObservation => role(value, serial);

describe('the pool of a pair', () => {
  it('is told once', async () => {
    expect(await told({ rest: first }, { rest: second })).toEqual(['fac-1 tokens-exhausted']);
  });

  it('is told by the member in charge', async () => {
    const [onA, onB] = [says('cluster-secondary', 'FAC-A'), says('cluster-primary', 'FAC-B')];
    const seen = [
      { rest: first, role: onA },
      { rest: second, role: onB },
    ] as const;
    expect(await told(...seen)).toEqual(['fac-2 tokens-exhausted']);
  });

  it('is told by the member that can be read', async () => {
    expect(await told({ rest: DENIED }, { rest: second })).toEqual(['fac-2 tokens-exhausted']);
  });

  it('concerns both members, and has the licences of both', async () => {
    const findings = await tokenPool([{ rest: first }, { rest: second }]);
    expect(findings.map(({ rule, concerns, facts }) => [rule, concerns, facts?.license])).toEqual([
      ['tokens-left', ['fac-1', 'fac-2'], undefined],
      ['licence-brought-tokens', ['fac-1', 'fac-2'], 'EFTM000000000002'],
    ]);
  });

  it('is not that of two units that run alone', async () => {
    const alone = [exhausted('fac-1', 'FAC-A', null), exhausted('fac-2', 'FAC-B', null)] as const;
    expect(await told({ rest: alone[0] }, { rest: alone[1] })).toEqual([
      'fac-1 tokens-exhausted',
      'fac-2 tokens-exhausted',
    ]);
  });
});
