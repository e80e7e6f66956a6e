import { describe, expect, test } from 'vitest';
import type { AuditEntry } from '../../../src/core/audit.ts';
import { isoTime } from '../../../src/core/time-text.ts';
import { plainText } from '../../../src/document/document.ts';
import {
  faultSection,
  impactSection,
  incidentStory,
  type IncidentPast,
  titledFault,
  titledImpact,
} from '../../../src/document/incident-story.ts';
import type { Incident, OutboxEntry } from '../../../src/engine/incident/incident.ts';
import { notificationEvents } from '../../../src/notify/channels/deliveries.ts';
import { causeOf } from '../../support/checks/diagnosis-of.ts';
import {
  formerCauseOf,
  incidentNotificationOf,
  incidentOf,
  outboxEntryOf,
} from '../../support/notify/outbox-entry-of.ts';
import { HOUR, MINUTE, SECOND, START, timeline } from '../../support/store/incident-timeline.ts';

/** The first words of an event. */
const BEGIN = /^\S+(?: \S+)?/u;

interface Story extends Partial<IncidentPast> {
  readonly incident: Incident;
  readonly outboxEntries?: readonly OutboxEntry[];
}

/** Seconds since the start, and what happened. */
function timelineOf({ incident, outboxEntries = [], changes = [], omittedChanges = 0 }: Story) {
  const told = notificationEvents(outboxEntries, isoTime);
  const sections = incidentStory({ incident, changes, omittedChanges, complete: true }, told, isoTime);
  const parts = sections.find(({ title }) => title === 'Timeline')?.parts ?? [];
  return parts.flatMap((part) =>
    part.kind === 'table'
      ? part.lines.map(({ cells: [at = '', what = ''] }) => [
          (Date.parse(plainText(at)) - START) / SECOND,
          BEGIN.exec(plainText(what))?.[0],
        ])
      : [],
  );
}

describe('what an incident reported', () => {
  const cause = { summary: 'It fails.', impact: 'Nothing works. All waits.' };

  test.each([
    ['open', false, ['It fails.', 'Nothing works. All waits.']],
    ['ended, in the words of then', true, ['“It fails.”', '“Nothing works. All waits.”']],
  ] as const)('of one that is %s', (_, isOver, texts) => {
    const told = [titledFault(cause, isOver), titledImpact(cause, isOver)];
    expect(told.map(({ text }) => text)).toEqual(texts);
    expect([...faultSection(cause, isOver), ...impactSection(cause, isOver)]).toEqual(
      told.map(({ title, text }) => ({ title, parts: [{ kind: 'text', lines: [text] }] })),
    );
  });
});

describe('the story of an incident', () => {
  test('tells what happened in order, and each delivery of a notification once', () => {
    const incident = {
      ...incidentOf(),
      formerCauses: [formerCauseOf('tls-blocked', START + MINUTE)],
      returns: [START + 90 * SECOND],
      closedAt: START + 5 * MINUTE,
    };
    const resolved = incidentNotificationOf(incident, { id: 'r', at: START + 5 * MINUTE, event: 'resolved' });
    const firing = incidentNotificationOf(incident);
    const digest = {
      kind: 'digest',
      id: 'd',
      at: START + 2 * MINUTE,
      items: [{ event: 'reminder', incident }],
      omitted: 0,
      omittedOpen: 0,
      stillOpen: [],
    } as const;
    const outboxEntries = [
      outboxEntryOf(resolved),
      outboxEntryOf(firing, { status: 'sent' }),
      outboxEntryOf(firing, { recipient: 'b@example.org', status: 'sent' }),
      outboxEntryOf(firing, { recipient: 'c@example.org', attempts: 1, detail: 'full' }),
      outboxEntryOf(digest),
    ];
    expect(timelineOf({ incident, outboxEntries })).toEqual([
      [0, 'First seen:'],
      [30, 'Confirmed'],
      [30, 'Alarm: sent'],
      [30, 'Alarm: waiting'],
      [60, 'The cause'],
      [90, 'The fault'],
      [120, 'Digest: being'],
      [300, 'Resolved after'],
      [300, 'All-clear: being'],
    ]);
  });

  test('tells each time that the fault was there', () => {
    const [incident] = timeline()
      .rounds(2, [])
      .rounds(2, [causeOf('tls-intercepted')])
      .rounds(2, [])
      .rounds(2, [causeOf('tls-intercepted')])
      .rounds(100, []).state.incidents;
    if (incident === undefined) throw new Error('No incident was opened');
    expect(timelineOf({ incident }).map(([, event]) => event)).toEqual([
      'First seen:',
      'Confirmed',
      'Resolved after',
      'Seen again:',
      'Confirmed',
      'Resolved after',
    ]);
  });

  test('tells of the changes that people made, in order', () => {
    const incident = { ...incidentOf(), since: START, openedAt: START, closedAt: START + HOUR };
    const change: AuditEntry = {
      at: START + MINUTE,
      action: 'comment',
      incident: null,
      account: 'ada',
      address: '10.0.0.7',
      cause: null,
      subject: null,
      detail: 'Case 42',
    };
    expect(timelineOf({ incident, changes: [change] }).map(([at]) => at)).toEqual([0, 0, 60, 3_600]);
  });

  test('begins with the remedy while the fault lasts, then with what happened, and shows evidence twice if it differs', () => {
    const kindsOf = (incident: Incident): readonly string[] =>
      incidentStory({ incident, changes: [], omittedChanges: 0, complete: true }, [], isoTime).map(({ parts }) =>
        parts.map(({ kind }) => kind).join(' '),
      );
    expect(kindsOf(incidentOf())).toEqual(['steps', 'table text', 'text list text']);
    expect(kindsOf({ ...incidentOf(), status: 'closed', openingEvidence: ['other'] })).toEqual([
      'table text',
      'list text',
      'text list',
      'steps',
    ]);
  });
});
