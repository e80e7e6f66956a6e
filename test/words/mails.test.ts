import { expect, test } from 'vitest';
import type { CauseId } from '../../src/checks/registry.ts';
import { notificationText } from '../../src/document/notification.ts';
import type { Notification } from '../../src/engine/incident/incident.ts';
import { composeMessage } from '../../src/notify/channels/email.ts';
import { dueSummary, resumedState, type SummaryFacts } from '../../src/notify/notes.ts';
import { readCrontab } from '../../src/text/crontab.ts';
import { causeOf } from '../support/checks/diagnosis-of.ts';
import { AT_PUBLIC_HQ } from '../support/notify/channel-bench.ts';
import { causeStory } from '../support/notify/cause-mails.ts';
import { noSummaryFacts } from '../support/notify/plain-alerting.ts';
import { HOUR, MINUTE, POLICY, START, timeline, type Timeline } from '../support/store/incident-timeline.ts';
import { expectRecorded } from './recorded.ts';

const CONTEXT = { ...AT_PUBLIC_HQ, from: 'ftm-watch@example.org', delayed: null };

const ONE: CauseId = 'tls-intercepted';

/** Such as `firing mail-slow`. */
function nameOf(notification: Notification): string {
  return notification.kind === 'incident'
    ? `${notification.event} ${notification.incident.cause.id}`
    : notification.kind;
}

test('mails about every cause, and how one of them goes on', async () => {
  const { told } = causeStory(START);
  const named = told.filter(
    (one) => one.kind !== 'incident' || one.event === 'firing' || one.incident.cause.id === ONE,
  );
  const mails = named.map((notification) => {
    const { subject, text } = composeMessage(notification, CONTEXT);
    return [nameOf(notification), `${subject}\n\n${text}`] as const;
  });
  const removed = told.flatMap((one) =>
    one.kind === 'incident' && one.event === 'resolved' && one.incident.cause.id === ONE
      ? [composeMessage({ ...one, incident: { ...one.incident, subjectKind: 'removed' } }, CONTEXT)]
      : [],
  );
  const ofRemoved = removed.map(({ subject, text }) => ['removed subject', `${subject}\n\n${text}`] as const);
  await expectRecorded('mails', Object.fromEntries([...mails, ...ofRemoved]));
});

const INTERCEPTED = causeOf('tls-intercepted', { product: 'Fortinet FortiGate' });
const SUSPECTED = causeOf('tls-interception-suspected', { confidence: 'suspected' });
const HIJACKED = causeOf('answer-hijacked', { subject: 'fortitokenmobile.fortinet.com' });
const NO_POLICY = causeOf('policy-missing', { subject: 'fac -> ftm' });
const DOWN = causeOf('mail-unreachable', { subject: 'mx:25' });
const LOW = causeOf('tokens-running-out', { subject: 'fac-1', severity: 'warning' });
const manyMails = Array.from({ length: 110 }, (_, index) => ({ ...DOWN, subject: `mail-${String(index)}:25` }));

function alternating(): Timeline {
  const line = timeline();
  for (let index = 0; index < 12; index += 1) line.rounds(4, [INTERCEPTED]).rounds(4, []);
  return line.rounds(400, []);
}

function summary(line: Timeline, facts: Partial<SummaryFacts>): readonly Notification[] {
  const silence = { id: 's', cause: 'mail-slow', subject: null, from: START, by: 'ada', comment: 'moving' } as const;
  const later = line.now + HOUR;
  const silences = [
    { ...silence, until: later },
    { ...silence, from: later, until: later + HOUR },
  ];
  const state = { ...line.state, summarizedUntil: START - 168 * HOUR, silences };
  const at = { now: line.now, timezone: 'UTC' };
  const step = dueSummary(state, readCrontab('* * * * *', 'UTC'), at, () => ({ ...noSummaryFacts(), ...facts }));
  return (step?.effects ?? []).flatMap((effect) => (effect.kind === 'notify' ? [effect.notification] : []));
}

function restarted(runningSince: number, lastRound: number | null): readonly Notification[] {
  const state = { ...timeline().rounds(2, [INTERCEPTED]).state, runningSince };
  const restart = { now: START + 5 * HOUR, lastRound, timezone: 'Europe/Berlin', isQuiet: false };
  return resumedState(state, restart, POLICY).effects.flatMap((effect) =>
    effect.kind === 'notify' ? [effect.notification] : [],
  );
}

const ENDED = timeline().rounds(2, [INTERCEPTED]).wait(HOUR).rounds(2, []).state.incidents;

const STORIES: Readonly<Record<string, readonly Notification[]>> = {
  'understood better': timeline().rounds(2, [SUSPECTED]).rounds(2, [INTERCEPTED]).rounds(2, []).told,
  'one of two ends': timeline().rounds(2, [INTERCEPTED]).rounds(3, [NO_POLICY]).told,
  'two that take turns': timeline()
    .rounds(4, [INTERCEPTED])
    .rounds(4, [HIJACKED])
    .rounds(4, [INTERCEPTED])
    .rounds(40, []).told,
  'one that comes and goes': alternating().told.slice(-6),
  'a warning of the log': timeline().rounds(2, [causeOf('polling-failing', { severity: 'warning' })]).told,
  'a licence that a log mentions': timeline().rounds(2, [
    causeOf('license-not-registered', { severity: 'warning', subject: 'fac-1' }),
  ]).told,
  'many at once, and their end': timeline()
    .rounds(2, [INTERCEPTED, ...manyMails])
    .rounds(2, [])
    .told.slice(1),
  'some of many end': timeline()
    .rounds(2, [INTERCEPTED, ...manyMails.slice(0, 5)])
    .rounds(2, [INTERCEPTED])
    .told.slice(2),
  'a summary of a bad week': summary(timeline().rounds(2, [LOW, DOWN]), {
    availability: { ready: 99_876 * MINUTE, notReady: 124 * MINUTE, unknown: 168 * HOUR },
    ended: ENDED,
    tokensLeft: [{ appliance: 'fac-1', count: 12 }],
    ends: [{ what: 'the certificate of push.example.org:443', at: START + 120 * HOUR }],
  }),
  'a summary of a quiet week': summary(timeline(), { ends: [{ what: 'the licence of fac-1', at: START + HOUR }] }),
  'a restart': restarted(START, START + 2 * HOUR),
  'a restart after the clock was set back': restarted(START + 9 * HOUR, null),
};

test('mails and chat messages about what can happen', async () => {
  const messages = Object.entries(STORIES).flatMap(([story, told]) => {
    expect(told).not.toEqual([]);
    return told.map((notification, index) => {
      const delayed = { firstFailedAt: notification.at + 1_000, now: notification.at + 2 * HOUR + 5 * MINUTE };
      const mail = composeMessage(notification, { ...CONTEXT, timezone: 'Europe/Berlin', delayed });
      const text = notificationText(notification, CONTEXT);
      const chat = text.paragraphs.map((paragraph) => `> ${paragraph}`);
      const body = mail.text.split('\n').slice(0, 60).join('\n');
      return [
        `${story}, ${String(index + 1)}: ${nameOf(notification)}`,
        `${mail.subject}\n\n${body}\n\n> (${text.tone})\n${chat.join('\n')}`,
      ] as const;
    });
  });
  await expectRecorded('messages', Object.fromEntries(messages));
});
