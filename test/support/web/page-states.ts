import { zoneOf } from '../../../src/core/time-text.ts';
import { type AvailabilityBar, type AvailabilityDay, availabilityOfDays } from '../../../src/engine/availability.ts';
import { CLOCK_SUBJECT } from '../../../src/checks/clock/judge.ts';
import { diagnose } from '../../../src/engine/diagnose.ts';
import type { Incident } from '../../../src/engine/incident/incident.ts';
import { type Cause, type Diagnosis, type Finding, unknown } from '../../../src/engine/model.ts';
import { DAY, HOUR, MINUTE } from '../time/units.ts';
import { CONTEXT, finding, judgedRound, type Special } from '../checks/judged-round.ts';
import { incidentNotificationOf, incidentOf, outboxEntryOf } from '../notify/outbox-entry-of.ts';
import { EMPTY_PAST, QUIET_ACTIVITY, type WebState } from './web-sources.ts';
import { NOW } from './rendered-page.ts';

const AT = NOW - 8_000;
const ZONE = 'Europe/Berlin';

function diagnosisWith(...special: readonly Special[]): Diagnosis {
  return { ...diagnose(judgedRound(...special), CONTEXT), at: AT };
}

const INSPECTED: Special = ['tls-genuine', [finding('tls-intercepted')]];
const REJECTED: Special = [
  'mail',
  [
    finding('mail-recipient-rejected', {
      subject: 'mail.example.org:25',
      claim: 'The server answers RCPT TO with "550 5.1.1 User unknown".',
      expected: '250',
    }),
  ],
];
const ELSEWHERE: Special = [
  'license-assignment',
  [
    finding('license-on-other-unit', {
      subject: 'EFTM000000000001',
      claim: 'Licence EFTM000000000001 is registered to FAC-VM0000000099.',
      expected: 'FAC-VM0000000001',
      facts: {
        license: 'EFTM000000000001',
        holder: 'FAC-VM0000000099',
        serial: 'FAC-VM0000000001',
        appliance: 'fac-1',
      },
    }),
  ],
];
const FEW_TOKENS: Special = [
  'token-pool',
  [
    finding('tokens-running-out', {
      subject: 'fac-1',
      level: 'warning',
      claim: '30 of 1000 tokens are free (3 %).',
      expected: 'at least 5 % free',
      facts: { appliance: 'fac-1', found: '30 of 1000' },
    }),
  ],
];
const SERVICES: Special = [
  'reachability',
  Array.from({ length: 24 }, (_, index) =>
    finding('egress-blocked', {
      subject: `service-${String(index + 1)}.example.org:${index % 3 === 0 ? '636' : '443'}`,
      level: 'warning',
      kind: 'refused',
      claim: 'The port refuses connections.',
      expected: 'it accepts connections',
      facts: {
        host: `service-${String(index + 1)}.example.org`,
        port: index % 3 === 0 ? '636' : '443',
        operator: 'whoever runs it',
      },
    }),
  ),
];

function unknownAbout(subject: string, claim: string): Finding {
  return unknown({ rule: 'no-connection', subject, claim, expected: 'a connection' });
}

function incidentsOfCauses(causes: readonly Cause[], age: number): readonly Incident[] {
  return causes.map((cause, index) => ({
    ...incidentOf(cause),
    id: `i-${String(index + 1)}`,
    since: NOW - age / (index + 1),
    openedAt: NOW - age / (index + 1) + 30_000,
    lastSeen: AT,
  }));
}

const days: readonly AvailabilityBar[] = Array.from({ length: 168 }, (_, hour) => ({
  day: NOW - (168 - hour) * HOUR,
  share: hour % 50 === 0 ? 0.9 : 1,
  knownMs: HOUR,
}));

type Past = Pick<Incident, 'since' | 'closedAt' | 'lastSeen'> & { readonly cause: Pick<Cause, 'severity'> };

/** Before the incidents that the page lists. */
const OLDER: readonly Past[] = (
  [
    [70, 0.5, 'critical'],
    [44, 6, 'critical'],
    [29, 2, 'warning'],
    [20, 1, 'critical'],
  ] as const
).map(([days, hours, severity]) => {
  const [since, lastSeen] = [NOW - days * DAY, NOW - days * DAY + hours * HOUR];
  return { since, lastSeen, closedAt: lastSeen, cause: { severity } };
});

/**
 * Derived as in the store, so that the strip and the incidents agree.
 * @param last time of the last round
 */
function lastDaysOf(incidents: readonly Past[], last = AT): readonly AvailabilityDay[] {
  const always = { precondition: 'dns', state: 'ok', from: NOW - 91 * DAY, until: last };
  const faults = [...OLDER, ...incidents].map(({ since, lastSeen, cause }, index) => ({
    precondition: String(index),
    state: cause.severity === 'critical' ? 'broken' : 'warning',
    from: since,
    until: lastSeen,
  }));
  return availabilityOfDays([always, ...faults], { now: NOW, until: NOW, zone: zoneOf(ZONE) }, 90);
}

const LINES = [
  ['dns', 6],
  ['tcp', 14],
  ['tls', 38],
  ['http', 52],
] as const;

const PAST: Partial<WebState> = {
  lastDays: lastDaysOf([]),
  timezone: ZONE,
  site: 'Frankfurt HQ',
  activity: { ...QUIET_ACTIVITY, lastRound: { at: AT, durationMs: 1_240 }, nextRound: NOW + 22_000 },
  rangeData: {
    ...EMPTY_PAST,
    range: '7d',
    from: NOW - 7 * DAY,
    until: NOW,
    days,
    latency: LINES.map(([name, base]) => ({
      name,
      points: Array.from({ length: 168 }, (_, hour) => ({
        at: NOW - (168 - hour) * HOUR,
        value: base * (1 + (hour % 5) / 20),
      })),
    })),
    errors: [{ name: 'fac-1', points: [{ at: NOW - 50 * HOUR, value: 32 }] }],
    tokens: [
      {
        name: 'fac-1',
        points: [
          { at: NOW - 7 * DAY, value: 36 },
          { at: NOW - HOUR, value: 30 },
        ],
      },
    ],
    incidents: [],
  },
};

function withCauses(diagnosis: Diagnosis, age: number): Partial<WebState> {
  const incidents = incidentsOfCauses(diagnosis.causes, age);
  const outboxEntries = incidents.slice(0, 3).map((incident) =>
    outboxEntryOf(incidentNotificationOf(incident, { id: incident.id, at: incident.openedAt }), {
      status: 'sent',
      finishedAt: incident.openedAt,
    }),
  );
  return { ...PAST, lastDays: lastDaysOf(incidents), diagnosis, incidents, outboxEntries };
}

const [past] = incidentsOfCauses(diagnosisWith(INSPECTED).causes, 6 * DAY);
const ENDED: readonly Incident[] =
  past === undefined
    ? []
    : [
        {
          ...past,
          id: 'i-ended',
          status: 'closed',
          lastSeen: NOW - 6 * DAY + 4 * HOUR,
          closedAt: NOW - 6 * DAY + 4 * HOUR + 60_000,
          clear: { before: past.since - 30_000, after: NOW - 6 * DAY + 4 * HOUR + 30_000 },
        },
      ];

const broken = withCauses(diagnosisWith(INSPECTED), 5.2 * HOUR);

/** Time of the last round of the stale state. */
const STOPPED = NOW - 3 * HOUR;

const works = {
  ...PAST,
  diagnosis: diagnosisWith(),
  activity: { ...QUIET_ACTIVITY, lastRound: { at: AT, durationMs: 1_240 }, nextRound: NOW + 22_000 },
  incidents: ENDED,
  lastDays: lastDaysOf(ENDED),
};

/** What the status page can look like. */
export const PAGE_STATES = {
  works,
  stale: {
    ...works,
    diagnosis: { ...works.diagnosis, at: STOPPED },
    knownFor: 10 * MINUTE,
    activity: { ...works.activity, lastRound: { at: STOPPED, durationMs: 1_240 }, nextRound: STOPPED + 30_000 },
    lastDays: lastDaysOf(ENDED, STOPPED),
  },
  warnings: withCauses(
    diagnosisWith(FEW_TOKENS, [
      'clock',
      [
        finding('clock-skewed', {
          subject: CLOCK_SUBJECT,
          level: 'warning',
          claim: 'The clock is 3.2 s behind.',
          expected: 'at most 2 s',
          facts: { found: '3.2 s behind' },
        }),
      ],
    ]),
    48 * HOUR,
  ),
  'one fault': {
    ...broken,
    incidents: (broken.incidents ?? []).map((incident) => ({
      ...incident,
      acknowledgement: { at: NOW - 3 * HOUR, by: 'ada' },
    })),
  },
  'three faults': withCauses(diagnosisWith(INSPECTED, REJECTED, ELSEWHERE), 5.2 * HOUR),
  '24 services': withCauses(diagnosisWith(SERVICES), 2 * HOUR),
  unknown: {
    ...PAST,
    diagnosis: diagnosisWith(
      ['mail', [unknownAbout('mail.example.org:25', 'No route to 10.0.0.25.')]],
      ['reachability', [unknownAbout('fortitokenmobile.fortinet.com:443', 'No local port is free.')]],
    ),
    unknownSince: NOW - 4 * HOUR,
  },
  starting: { ...PAST, diagnosis: null },
  maintenance: {
    ...broken,
    maintenance: { until: NOW + 2 * HOUR, next: { from: NOW + 72 * HOUR, until: NOW + 74 * HOUR } },
  },
  'empty history': { diagnosis: diagnosisWith() },
} satisfies Readonly<Record<string, Partial<WebState>>>;
