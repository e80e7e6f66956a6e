import { describe, expect, test } from 'vitest';
import type { PreconditionState, Assessment, Diagnosis } from '../../../src/engine/model.ts';
import type { Config } from '../../../src/config/config.ts';
import type { ApplianceObservation, HaRoleObservation } from '../../../src/core/license/appliance.ts';
import type { PollingReport } from '../../../src/core/polling/report.ts';
import type { PreconditionId } from '../../../src/checks/registry.ts';
import { conclude, NOTHING_REMEMBERED, type LogPart } from '../../../src/runtime/conclude.ts';
import { applianceFacts } from '../../support/checks/appliance-facts.ts';
import { configOf } from '../../support/config/config-of.ts';
import { picture } from '../../support/checks/observed.ts';

type Conclusion = ReturnType<typeof conclude>;

const MINUTE = 60_000;
const NOW = Date.parse('2026-11-24T13:00:00Z');
const SITE = `
appliances:
  - { name: fac-1, api: { url: 'https://10.0.0.5', user: api, keyEnv: SET_SECRET }, logSources: [10.0.0.5] }
  - { name: fac-2, api: { url: 'https://10.0.0.6', user: api, keyEnv: SET_SECRET }, logSources: [10.0.0.6] }
logs: { syslog: { udp: '127.0.0.1:0' } }
`;

const PATH: readonly PreconditionId[] = [
  'internet',
  'name-resolution',
  'reachability',
  'tls-genuine',
  'license-server',
  'clock',
];
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

function reportOf(config: Config, { heard, silent = false, byDatagrams }: Seen): PollingReport {
  const { window, silentAfter } = config.logs;
  const lastLineAt = heard === undefined ? null : NOW - heard * MINUTE;
  const quiet = { errors: [], silent: false, silentFor: null };
  return {
    window,
    silentAfter,
    firewallEvidence: [],
    appliances: [
      { ...quiet, name: 'fac-1', lastLineAt, reliableLineAt: byDatagrams ? null : lastLineAt, silent },
      { ...quiet, name: 'fac-2', lastLineAt: NOW, reliableLineAt: NOW },
    ],
  };
}

async function conclusionOf(seen: Seen): Promise<Conclusion> {
  const { rest, other = FINE, role, unread } = seen;
  const config = await configOf(SITE);
  const [first, second] = config.appliances;
  if (first === undefined || second === undefined) throw new Error('Two appliances are configured');
  const units = [
    { config: first, rest, role: role ?? null },
    { config: second, rest: other, role: null },
  ];
  const probed: readonly Assessment[] = [
    ...PATH.map((id): Assessment => ({ id, kind: 'judged', findings: [], summary: 'Fine' })),
    { id: 'mail', kind: 'not-configured', findings: [], summary: 'No mail server is configured' },
  ];
  const log: LogPart = {
    kind: 'heard',
    report: reportOf(config, seen),
    unknownSenders: [],
    ...NOTHING_REMEMBERED,
    unreadSince: new Map(unread === undefined ? [] : [['fac-1', NOW - unread * MINUTE]]),
  };
  return conclude({ config, at: NOW, probed, picture: picture({ appliances: units }) }, log);
}

async function diagnosisOf(seen: Seen): Promise<Diagnosis> {
  return (await conclusionOf(seen)).diagnosis;
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
  ])('%s', async (_, seen, expected) => {
    expect(seenIn(await diagnosisOf(seen))).toEqual(expected);
  });

  test('is remembered from the first round that could not read it, until one can', async () => {
    expect((await conclusionOf({ rest: DOWN, unread: 60 })).unreadSince).toEqual(
      new Map([['fac-1', NOW - 60 * MINUTE]]),
    );
    expect((await conclusionOf({ rest: DOWN })).unreadSince).toEqual(new Map([['fac-1', NOW]]));
    expect((await conclusionOf({ rest: applianceFacts(), unread: 60 })).unreadSince).toEqual(new Map());
  });

  test('says that activation may work, and names the appliance', async () => {
    const { causes } = await diagnosisOf({ rest: DOWN, heard: 1 });

    expect(causes[0]).toMatchObject({
      subject: 'fac-1',
      summary: 'ftm-watch cannot read fac-1, because its REST API does not answer. The unit itself is running.',
      impact: 'Activation may work, but ftm-watch cannot check this precondition.',
    });
    expect(causes[0]?.evidence[0]).toContain('log lines from the unit still arrive');
  });
});
