import { describe, expect, it } from 'vitest';
import type {
  ApplianceFacts,
  ApplianceObservation,
  HaRoleObservation,
} from '../../../../src/core/license/appliance.ts';
import type { Assessment } from '../../../../src/engine/model.ts';
import { tokenPool } from '../../../../src/checks/token-pool/judge.ts';
import { factsOf } from '../../../support/checks/facts.ts';
import { applianceFacts } from '../../../support/checks/appliance-facts.ts';
import { configOf } from '../../../support/config/config-of.ts';
import { tokens } from '../../../support/checks/judged-tokens.ts';
import { role } from '../../../support/checks/license-bench.ts';
import { picture } from '../../../support/checks/observed.ts';

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
  return applianceFacts({ appliance, system: { serial, peerSerial }, tokens: tokens(0, 32) });
}

async function judgePools(seen: readonly Seen[], text = PAIR): Promise<Assessment['findings']> {
  const config = await configOf(text);
  const units = config.appliances.flatMap((unit, index) => {
    const one = seen[index];
    return one === undefined ? [] : [{ config: unit, rest: one.rest, role: one.role ?? null }];
  });
  return tokenPool.judge(factsOf({ config, picture: picture({ appliances: units }) })).findings;
}

const first = exhausted('fac-1', 'FAC-A', 'FAC-B');
const second = exhausted('fac-2', 'FAC-B', 'FAC-A');
const [secondary, primary] = [role('cluster-secondary', 'FAC-A'), role('cluster-primary', 'FAC-B')];

describe('the pool of a pair', () => {
  it.each<readonly [string, readonly Seen[], readonly string[]]>([
    ['once', [{ rest: first }, { rest: second }], ['fac-1']],
    [
      'by the member in charge',
      [
        { rest: first, role: secondary },
        { rest: second, role: primary },
      ],
      ['fac-2'],
    ],
    ['by the member that answers', [{ rest: DENIED }, { rest: second }], ['fac-2']],
    [
      'twice of two units that run alone',
      [{ rest: exhausted('fac-1', 'FAC-A', null) }, { rest: exhausted('fac-2', 'FAC-B', null) }],
      ['fac-1', 'fac-2'],
    ],
  ])('is told %s', async (_, seen, subjects) => {
    const told = (await judgePools(seen)).filter(({ level }) => level !== 'note');
    expect(told.map(({ subject, suggests }) => [subject, suggests])).toEqual(
      subjects.map((subject) => [subject, 'tokens-exhausted']),
    );
  });

  it.each([[[{ rest: DENIED }, { rest: second }]], [[{ rest: second }, { rest: DENIED }]]])(
    'is told once beside a member of unknown serial number, in either order',
    async (seen) => {
      const told = await judgePools(seen, PAIR.replaceAll(/(?:peerSerial|serial): FAC-., /gu, ''));
      expect(told.map(({ subject, rule }) => [subject, rule])).toEqual([
        ['fac-2', 'tokens-left'],
        ['fac-2', 'licence-brought-tokens'],
      ]);
    },
  );

  it('concerns both members, and has the licences of both', async () => {
    const findings = await judgePools([{ rest: first }, { rest: second }]);
    expect(findings.map(({ rule, concerns, facts }) => [rule, concerns, facts?.license])).toEqual([
      ['tokens-left', ['fac-1', 'fac-2'], undefined],
      ['licence-brought-tokens', ['fac-1', 'fac-2'], 'EFTM000000000002'],
    ]);
  });
});
