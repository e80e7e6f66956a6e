import { test } from 'vitest';
import { CHECKS } from '../../src/checks/registry.ts';
import { AUDIT_ACTIONS, type RefusedChanges } from '../../src/core/audit.ts';
import { toHtml } from '../../src/document/html.ts';
import { incidentMarkdown } from '../../src/document/incident-markdown.ts';
import { notificationEvents } from '../../src/notify/channels/deliveries.ts';
import { readIncidentQuery } from '../../src/web/incident-json.ts';
import { renderChanges } from '../../src/web/page/changes-page.ts';
import { readerAt } from '../../src/web/page/page-document.ts';
import { historyView } from '../../src/web/page/history-view.ts';
import { renderIncidentList } from '../../src/web/page/incident-list-page.ts';
import { type Permission, renderIncident } from '../../src/web/page/incident-page.ts';
import type { IncidentRecord, RangeData } from '../../src/web/sources.ts';
import { causeOf, diagnosisOf } from '../support/checks/diagnosis-of.ts';
import { wordedCause } from '../support/checks/worded-cause.ts';
import { HOUR, MINUTE, START } from '../support/store/incident-timeline.ts';
import { DAY } from '../support/time/units.ts';
import { formerCauseOf, incidentNotificationOf, incidentOf, outboxEntryOf } from '../support/notify/outbox-entry-of.ts';
import { PAGE_STATES } from '../support/web/page-states.ts';
import { NOW, render } from '../support/web/rendered-page.ts';
import { EMPTY_PAST, QUIET_ACTIVITY, type WebState } from '../support/web/web-sources.ts';
import { expectRecorded } from './recorded.ts';
import { textOfPage } from './text-of-page.ts';

const BERLIN = readerAt(NOW, 'Europe/Berlin');
const OVER = { status: 'closed', closedAt: START + 5 * MINUTE } as const;
const incident = incidentOf();
const firing = incidentNotificationOf(incident);
const silence = { id: 'silence-7', cause: null, subject: null, from: START, by: 'Ada', comment: 'moving' } as const;
const broken = (id: 'tls-intercepted' | 'internet-unreachable') => diagnosisOf(START, [wordedCause(id)]);

const STATES: Readonly<Record<string, Partial<WebState>>> = {
  'nothing is known': { diagnosis: null },
  'everything works': {},
  'the last round is outdated': { knownFor: 1 },
  'the next round is planned for later': {
    knownFor: 1,
    activity: { ...QUIET_ACTIVITY, nextRound: NOW + HOUR },
  },
  'days of each kind': {
    lastDays: [
      { name: '2026-11-21', from: 0, until: DAY, ready: 0, notReady: 0, unknown: DAY, hasWarning: false },
      { name: '2026-11-22', from: 0, until: DAY, ready: DAY, notReady: 0, unknown: 0, hasWarning: false },
      { name: '2026-11-22', from: 0, until: DAY, ready: DAY, notReady: 0, unknown: 0, hasWarning: true },
      { name: '2026-11-23', from: 0, until: DAY, ready: DAY / 2, notReady: DAY / 2, unknown: 0, hasWarning: false },
      { name: '2026-11-24', from: 0, until: DAY, ready: DAY / 2, notReady: 0, unknown: DAY / 2, hasWarning: false },
    ],
  },
  intercepted: { diagnosis: broken('tls-intercepted'), incidents: [incident] },
  'three faults': PAGE_STATES['three faults'],
  '24 services': PAGE_STATES['24 services'],
  'one precondition is unknown': { diagnosis: { ...diagnosisOf(START, [], { mail: 'unknown' }), ready: 'unknown' } },
  'acknowledged, silenced, in maintenance': {
    ...PAGE_STATES['one fault'],
    silences: [{ ...silence, until: NOW + HOUR }],
    maintenance: { until: NOW + HOUR, next: null },
  },
  'no internet': { diagnosis: broken('internet-unreachable') },
  'only a warning': { diagnosis: diagnosisOf(START, [causeOf('mail-slow', { severity: 'warning' })]) },
  'nothing could be evaluated': {
    diagnosis: {
      ...diagnosisOf(START, [], Object.fromEntries(CHECKS.map(({ id }) => [id, 'unknown']))),
      ready: 'unknown',
    },
  },
  'broken without a cause': { diagnosis: { ...diagnosisOf(START, []), ready: 'not-ready' } },
  'notifications sent, waiting and given up': {
    incidents: [incident],
    outboxEntries: [
      outboxEntryOf(firing, { status: 'sent', finishedAt: NOW }),
      outboxEntryOf(firing, { attempts: 2, detail: 'refused' }),
      outboxEntryOf(firing, { status: 'rejected', finishedAt: NOW, attempts: 9, detail: 'refused' }),
    ],
  },
  'notifications of every kind': {
    outboxEntries: [
      ...['a', 'b', 'c', 'd', 'e', 'f'].map((name) =>
        outboxEntryOf(firing, { recipient: `${name}@example.org`, status: 'sent', finishedAt: NOW }),
      ),
      outboxEntryOf(firing, {
        attempts: 3,
        nextAttemptAt: NOW + 2 * MINUTE,
        detail: '451 <admins@example.org> is full',
      }),
      outboxEntryOf(firing, {
        channel: 'webhook',
        recipient: 'https://h.example.org/secret',
        status: 'rejected',
        attempts: 1,
        finishedAt: NOW,
        detail: '404',
      }),
      outboxEntryOf(firing, { status: 'expired', attempts: 1, finishedAt: NOW - HOUR }),
      outboxEntryOf(firing, { status: 'withdrawn', attempts: 1, finishedAt: NOW - HOUR }),
      outboxEntryOf({
        kind: 'digest',
        id: 'd',
        at: NOW,
        items: (['tls-blocked', 'clock-skewed', 'polling-failing', 'mail-unreachable'] as const).map((id) => ({
          event: 'firing',
          incident: incidentOf(causeOf(id)),
        })),
        omitted: 0,
        omittedOpen: 0,
        stillOpen: [],
      }),
    ],
  },
  'what the daemon is doing': {
    activity: {
      ...QUIET_ACTIVITY,
      lastReload: { at: START, taken: false },
      lastRound: null,
      nextRound: null,
      log: null,
      peers: [
        { kind: 'seen', peer: 'branch', at: START, preconditions: [], causes: [] },
        {
          kind: 'seen',
          peer: 'dmz',
          at: START,
          preconditions: [],
          causes: [causeOf('tls-intercepted', { product: null })],
        },
        { kind: 'failed', reason: 'rejected', durationMs: 1, peer: 'hq', message: 'HTTP 401' },
      ],
    },
  },
  'certificates that are not there': {
    certificates: [{ target: 'a.test:443', address: '192.0.2.1', verdict: 'blocked', chain: [], trusted: [] }],
  },
  'a resolved incident': { incidents: [{ ...incident, ...OVER }] },
  'no history': { incidents: [incident], complete: false },
  silences: {
    silences: [
      { ...silence, until: NOW + 2 * HOUR },
      { ...silence, id: 'planned', from: NOW + HOUR, until: NOW + 2 * HOUR },
      { ...silence, id: 'soon', until: NOW + MINUTE },
    ],
  },
  maintenance: { maintenance: { until: NOW + HOUR, next: { from: NOW + 72 * HOUR, until: NOW + 74 * HOUR } } },
  'a stale result and a full disk': {
    activity: { ...QUIET_ACTIVITY, storeWritable: false, notificationsPending: 3, noChannel: 'email' },
    health: { ready: false, problems: ['the disk is full'] },
  },
};

const PRESENCES = ['seen', 'absent', 'unjudged', 'resumed', 'unverified', 'hidden'] as const;

/** What the list says of one incident. */
const INCIDENTS: Readonly<Record<string, Partial<WebState>>> = {
  ...Object.fromEntries(PRESENCES.map((presence) => [presence, { incidents: [{ ...incident, presence }] }])),
  'comes and goes, and is acknowledged': {
    incidents: [{ ...incident, flapping: true, acknowledgement: { at: START, by: 'ada' } }],
  },
  'is held back': { incidents: [{ ...incident, awaitsDigest: true }] },
  'is told to nobody': { incidents: [{ ...incident, lastNotified: null }] },
  'is not delivered': {
    incidents: [incident],
    outboxEntries: [outboxEntryOf(firing, { status: 'rejected', attempts: 1, finishedAt: NOW })],
  },
  'is taken by nobody': { incidents: [incident], activity: alertmanager(null, 2) },
  'is not taken yet': { incidents: [incident], activity: alertmanager(START, 0) },
  'is taken': { incidents: [incident], activity: alertmanager(NOW, 0) },
  'is taken, and not delivered': {
    incidents: [incident],
    outboxEntries: [outboxEntryOf(firing, { status: 'expired', attempts: 1, finishedAt: NOW - HOUR })],
    activity: alertmanager(NOW, 0),
  },
  'is of a subject that is gone': { incidents: [{ ...incident, ...OVER, subjectKind: 'removed' }] },
};

function alertmanager(tookAt: number | null, silent: number): WebState['activity'] {
  return { ...QUIET_ACTIVITY, states: [{ name: 'Alertmanager', silent, tookAt }] };
}

const CHANGES = AUDIT_ACTIONS.map((action) => ({
  at: START + MINUTE,
  action,
  account: 'ada',
  address: '10.0.0.7',
  incident: incident.id,
  cause: incident.cause.id,
  subject: incident.cause.subject,
  detail: 'of the test',
}));
const RECORD = {
  incident,
  outboxEntries: [outboxEntryOf(firing)],
  changes: CHANGES,
  omittedChanges: 3,
  complete: true,
};
const PLAIN = { ...RECORD, outboxEntries: [], changes: [], omittedChanges: 0 };
const ALLOWED = { kind: 'allowed', asksName: true } as const;

/** What the page of one incident and its Markdown say. */
const RECORDS: Readonly<Record<string, readonly [IncidentRecord, Permission]>> = {
  'in full': [RECORD, ALLOWED],
  'without accounts': [PLAIN, { kind: 'no-accounts' }],
  'without permission': [PLAIN, { kind: 'role', role: 'read' }],
  'acknowledged, without history': [
    { ...PLAIN, complete: false, incident: { ...incident, acknowledgement: { at: START, by: 'ada' } } },
    ALLOWED,
  ],
  'over, after other causes': [
    {
      ...PLAIN,
      incident: {
        ...incident,
        ...OVER,
        openingEvidence: ['Evidence of the beginning'],
        formerCauses: [formerCauseOf('tls-blocked', START + MINUTE)],
        earlier: [{ ...incident, ...OVER }],
      },
    },
    ALLOWED,
  ],
};

const PAST: Readonly<Record<string, Partial<RangeData>>> = {
  '7 days': {
    latency: [{ name: 'dns', points: [{ at: START - HOUR, value: 10 }] }],
    errors: [{ name: 'fac-1', points: [{ at: START - HOUR, value: 3 }] }],
    tokens: [{ name: 'fac-1', points: [{ at: START - HOUR, value: 30 }] }],
    days: [{ day: START - HOUR, share: 0.999, knownMs: HOUR }],
    incidents: [
      {
        id: 'i-1',
        cause: 'tls-blocked',
        subject: 'a:443',
        severity: 'critical',
        from: START - 2 * HOUR,
        until: START - HOUR,
        lasted: 'about 1 h',
      },
    ],
  },
  '30 days': {
    range: '30d',
    from: START - 720 * HOUR,
    days: [{ day: START - 48 * HOUR, share: 1, knownMs: 24 * HOUR }],
  },
  '90 days without data': { range: '90d', from: START - 2160 * HOUR },
};

test('the status page in every state', async () => {
  const pages = Object.entries(STATES).map(([name, state]) => [name, textOfPage(render(state))] as const);
  const incidents = Object.entries(INCIDENTS).map(([name, state]) => {
    const [, list = ''] = /(<section id="incidents".*?<\/section>)/su.exec(render(state)) ?? [];
    return [`an incident that ${name}`, textOfPage(list)] as const;
  });
  await expectRecorded('page', Object.fromEntries([...pages, ...incidents]));
});

test('the page of an incident, and its Markdown', async () => {
  const quiet = { maintenanceUntil: null, silences: [] };
  const pages = Object.entries(RECORDS).flatMap(([name, [record, permission]]) => {
    const problems = permission.kind === 'allowed' ? ['a problem'] : [];
    const controlSocket = '/run/ftm-watch/control.sock';
    const page = {
      site: 'hq',
      root: '../',
      record,
      quiet,
      present: 'Activation works',
      permission,
      controlSocket,
      problems,
      reader: BERLIN,
    } as const;
    const zone = { site: 'hq', zone: BERLIN.zone, publicUrl: 'https://monitor.example.org', now: NOW };
    return [
      [name, textOfPage(renderIncident(page).body)],
      [
        `${name}, as Markdown`,
        incidentMarkdown(
          record,
          notificationEvents(record.outboxEntries, (at) => BERLIN.zone.text(at)),
          zone,
        ),
      ],
    ] as const;
  });
  await expectRecorded('incident', Object.fromEntries(pages));
});

test('the lists of changes and of incidents, and the charts', async () => {
  const kept = CHANGES.map((change, id) => ({ ...change, id }));
  const refused = [
    { ...kept[0], account: 'eve', address: null, first: START, last: START, count: 3 } as RefusedChanges,
  ];
  const changes = renderChanges({
    site: 'hq',
    query: { before: null, incident: null },
    problems: [],
    found: { changes: kept, refused, more: true, complete: false },
    reader: BERLIN,
  });
  const list = renderIncidentList({
    site: 'hq',
    asked: readIncidentQuery({ cause: ['none'], state: ['half'], from: ['then'], colour: ['red'] }, BERLIN.zone),
    found: { incidents: [incident], more: true, complete: false },
    quiet: { maintenanceUntil: null, silences: [] },
    availability: [],
    reader: BERLIN,
  });
  const charts = Object.entries(PAST).map(([name, past]) => {
    const data = { ...EMPTY_PAST, range: '7d', from: START - 168 * HOUR, incidents: [], ...past } as const;
    return [`charts, ${name}`, textOfPage(toHtml(historyView(data, BERLIN, null)))] as const;
  });
  const lists = { changes: textOfPage(changes), incidents: textOfPage(list), ...Object.fromEntries(charts) };
  await expectRecorded('lists', lists);
});
