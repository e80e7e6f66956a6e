import { describe, expect, test } from 'vitest';
import { agent, certificateClaim, judgeAgent } from '../../../../src/checks/agent/judge.ts';
import { CHECKS, isAgentCause } from '../../../../src/checks/registry.ts';
import { conclude } from '../../../../src/checks/conclude.ts';
import { DAY, NOW, HOST, TROUBLES, WELL } from '../../../support/checks/agent-health.ts';
import { shown } from '../../../support/checks/facts.ts';
import { configOf } from '../../../support/config/config-of.ts';

describe('judgeAgent', () => {
  test.each(TROUBLES)('$cause $kind', ({ cause, health, kind }) => {
    const findings = judgeAgent({ ...WELL, ...health });
    expect(findings).toEqual([
      expect.objectContaining({ suggests: cause, subject: expect.stringContaining(HOST), level: 'warning' }),
    ]);
    expect(findings[0]?.kind).toBe(kind);
    // Everyone can read the claims.
    expect(findings[0]?.claim).not.toMatch(/monitor-1|10\.0\.0\.5|secret-name|disk full/u);
  });

  test('finds nothing as long as everything works', () => {
    expect(judgeAgent(WELL)).toEqual([]);
    expect(certificateClaim({ owner: 'status page', end: NOW + 14 * DAY + 1 }, NOW, 'UTC')).toBeNull();
  });

  test('gives advice as notes, which are no trouble', () => {
    const findings = judgeAgent({ ...WELL, advice: ['Everyone can read the page.'] });
    expect(findings).toMatchObject([{ level: 'note', suggests: null, claim: 'Everyone can read the page.' }]);
  });
});

test('every cause can be found, and none is critical', () => {
  expect(new Set(TROUBLES.map(({ cause }) => cause))).toEqual(new Set(Object.keys(agent.causes)));
  expect(Object.values(agent.causes).map(({ severity }) => severity)).not.toContain('critical');
  expect(Object.keys(agent.causes).every(isAgentCause)).toBe(true);
  expect(isAgentCause('clock-skewed')).toBe(false);
  expect(CHECKS.at(-1)).toBe(agent);
});

test.each([
  ['of the daemon', { ...WELL, store: { failure: 'disk full', isNewer: false } }, 'warning'],
  ['of a single check', undefined, 'not-configured'],
] as const)('the state %s affects neither "ready" nor another precondition', async (_, health, state) => {
  const known = {
    config: await configOf('site: hq'),
    round: shown({ at: NOW }),
    picture: { appliances: [], registration: null, firewall: [], peers: [] },
    ...(health === undefined ? {} : { agent: health }),
  };
  const unheard = { kind: 'unheard', reason: 'Not checked', isTrouble: false } as const;
  const { diagnosis } = conclude(known, unheard);
  expect(diagnosis.preconditions.at(-1)).toMatchObject({ id: 'agent', state });
  expect(diagnosis.ready).toBe('ready');
  expect(diagnosis.causes).toHaveLength(health === undefined ? 0 : 1);
});
