import { describe, expect, test } from 'vitest';
import { type Diagnosis, impactOf, type PreconditionState } from '../../../src/engine/model.ts';
import type { ApplianceObservation, HaRoleObservation } from '../../../src/core/license/appliance.ts';
import type { PreconditionId } from '../../../src/checks/registry.ts';
import { applianceFacts } from '../../support/checks/appliance-facts.ts';
import { AT, concluded } from '../../support/checks/concluded.ts';
import { CONTEXT } from '../../support/checks/judged-round.ts';
import { configOf } from '../../support/config/config-of.ts';
import { MINUTE } from '../../support/time/units.ts';

type Conclusion = ReturnType<typeof concluded>;

const config = await configOf(`
appliances:
  - { name: fac-1, api: { url: 'https://10.0.0.5', user: api, keyEnv: SET_SECRET }, logSources: [10.0.0.5] }
  - { name: fac-2, api: { url: 'https://10.0.0.6', user: api, keyEnv: SET_SECRET }, logSources: [10.0.0.6] }
logs: { syslog: { udp: '127.0.0.1:0' } }
`);

const FINE = applianceFacts({ appliance: 'fac-2' });
const REFUSED: ApplianceObservation = { kind: 'denied', appliance: 'fac-1', endpoint: '10.0.0.5:443', status: 401 };
const DOWN: ApplianceObservation = {
  kind: 'failed',
  appliance: 'fac-1',
  endpoint: '10.0.0.5:443',
  reason: 'timeout',
  message: 'no answer',
  durationMs: 5_000,
};
const SNMP: HaRoleObservation = {
  kind: 'ok',
  appliance: 'fac-1',
  role: 'standalone-primary',
  serial: null,
  firmware: null,
};

interface Seen {
  readonly rest: ApplianceObservation;
  readonly other?: ApplianceObservation;
  readonly role?: HaRoleObservation;
  /** Minutes since the last log line. Omitted if no line was received. */
  readonly heard?: number;
  /** The lines came as datagrams. */
  readonly byDatagrams?: true;
  /** Minutes since its API began to fail. Omitted if it began in this round. */
  readonly unread?: number;
  /** Its log has been quiet for longer than `logs.silentAfter`. */
  readonly silent?: boolean;
}

function conclusionOf(seen: Seen): Conclusion {
  const { rest, other = FINE, role = null, unread, heard, silent = false, byDatagrams } = seen;
  const [first, second] = config.appliances;
  if (first === undefined || second === undefined) throw new Error('Two appliances are configured');
  const lastLineAt = heard === undefined ? null : AT - heard * MINUTE;
  return concluded({
    config,
    lines: { 'fac-1': { lastLineAt, reliableLineAt: byDatagrams ? null : lastLineAt, silent } },
    seen: {
      appliances: [
        { config: first, rest, role },
        { config: second, rest: other, role: null },
      ],
    },
    remembered: { unreadSince: new Map(unread === undefined ? [] : [['fac-1', AT - unread * MINUTE]]) },
  });
}

interface SeenDiagnosis {
  readonly causes: readonly string[];
  readonly ready: Diagnosis['ready'];
  readonly states: Partial<Record<PreconditionId, PreconditionState>>;
}

function seenIn({ causes, ready, preconditions }: Diagnosis): SeenDiagnosis {
  const about = preconditions.filter(({ id }) => ['appliance', 'token-pool', 'mail'].includes(id));
  return {
    causes: causes.map(({ id, severity }) => `${id} ${severity}`),
    ready,
    states: Object.fromEntries(about.map(({ id, state }) => [id, state])),
  };
}

const UNREAD = { appliance: 'warning', 'token-pool': 'unknown', mail: 'unknown' } as const;
const DENIED = { causes: ['appliance-access-denied warning'], ready: 'unknown', states: UNREAD } as const;
const UNREADABLE = { causes: ['appliance-unreadable warning'], ready: 'unknown', states: UNREAD } as const;
const UNREACHABLE = {
  causes: ['appliance-unreachable critical'],
  ready: 'not-ready',
  states: { appliance: 'broken', 'token-pool': 'blocked', mail: 'unknown' },
} as const;

const GONE_SILENT = { ...UNREACHABLE, causes: ['appliance-unreachable critical', 'appliance-silent warning'] };

describe('an appliance that cannot be read', () => {
  test.each<[string, Seen, SeenDiagnosis]>([
    ['refuses the key', { rest: REFUSED }, DENIED],
    ['refuses the key, its log goes on', { rest: REFUSED, heard: 1 }, DENIED],
    ['has no API, its log goes on', { rest: DOWN, heard: 1 }, UNREADABLE],
    ['has no API, datagrams in its name go on', { rest: DOWN, heard: 1, byDatagrams: true }, UNREACHABLE],
    ['has no API, its log just does', { rest: DOWN, heard: 10 }, UNREADABLE],
    ['has no API, a quiet log outlived it', { rest: DOWN, heard: 50, unread: 60 }, UNREADABLE],
    ['has no API, its log ended with it', { rest: DOWN, heard: 61, unread: 60 }, UNREACHABLE],
    ['has no API, its log is silent by now', { rest: DOWN, heard: 50, unread: 60, silent: true }, GONE_SILENT],
    ['has no API, SNMP answers', { rest: DOWN, role: SNMP }, UNREADABLE],
    ['has no API, its log does not', { rest: DOWN, heard: 11 }, UNREACHABLE],
    ['has no API, no line ever came', { rest: DOWN }, UNREACHABLE],
    [
      'is one of two, and the other is gone',
      { rest: DOWN, heard: 1, other: { ...DOWN, appliance: 'fac-2', reason: 'tls' } },
      { ...UNREADABLE, causes: ['appliance-unreadable warning', 'appliance-unreadable warning'] },
    ],
    [
      'can be read',
      { rest: applianceFacts() },
      { causes: [], ready: 'ready', states: { appliance: 'ok', 'token-pool': 'ok', mail: 'not-configured' } },
    ],
  ])('%s', (_, seen, expected) => {
    expect(seenIn(conclusionOf(seen).diagnosis)).toEqual(expected);
  });

  test.each<readonly [string, Seen, readonly (readonly [string, number])[]]>([
    ['from the first round that could not read it', { rest: DOWN, unread: 60 }, [['fac-1', AT - 60 * MINUTE]]],
    ['from now on', { rest: DOWN }, [['fac-1', AT]]],
    ['no longer, once one could', { rest: applianceFacts(), unread: 60 }, []],
  ])('is remembered %s', (_, seen, expected) => {
    expect([...conclusionOf(seen).unreadSince]).toEqual(expected);
  });

  test('says that users are probably not affected, names the appliance, and why it is taken to run', () => {
    const [cause] = conclusionOf({ rest: DOWN, heard: 1 }).diagnosis.causes;
    expect(cause).toMatchObject({ subject: 'fac-1', impact: impactOf('unread', CONTEXT.activation) });
    expect(cause?.evidence[0]).toContain('log lines from the unit still arrive');
  });
});
