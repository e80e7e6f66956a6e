import { test } from 'vitest';
import { CHECKS } from '../../src/checks/registry.ts';
import { causeOf, diagnosisOf } from '../support/checks/diagnosis-of.ts';
import { wordedCause } from '../support/checks/worded-cause.ts';
import { HOUR, MINUTE, START } from '../support/store/incident-timeline.ts';
import { incidentNotificationOf, incidentOf, outboxEntryOf } from '../support/notify/outbox-entry-of.ts';
import { NOW, render } from '../support/web/rendered-page.ts';
import { QUIET_ACTIVITY, type WebState } from '../support/web/web-sources.ts';
import { expectRecorded } from './recorded.ts';
import { textOfPage } from './text-of-page.ts';

const incident = incidentOf();
const firing = incidentNotificationOf(incident);
const silence = { id: 'silence-7', cause: null, subject: null, from: START, by: 'Ada', comment: 'moving' } as const;
const broken = (id: 'tls-intercepted' | 'internet-unreachable') => diagnosisOf(START, [wordedCause(id)]);

const STATES: Readonly<Record<string, Partial<WebState>>> = {
  'nothing is known': { diagnosis: null },
  'everything works': {},
  intercepted: { diagnosis: broken('tls-intercepted'), incidents: [incident] },
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
  'a resolved incident': { incidents: [{ ...incident, status: 'closed', closedAt: START + 5 * MINUTE }] },
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

test('the status page in every state', async () => {
  const pages = Object.entries(STATES).map(([name, state]) => [name, textOfPage(render(state))] as const);
  await expectRecorded('page', Object.fromEntries(pages));
});
