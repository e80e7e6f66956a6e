import { describe, expect, test } from 'vitest';
import type { AuditEntry } from '../../../../src/core/audit.ts';
import { lastedText } from '../../../../src/engine/incident/incident.ts';
import { timelineOf } from '../../../../src/web/page/incidents-view.ts';
import { causeOf } from '../../../support/checks/diagnosis-of.ts';
import { HOUR, MINUTE, SECOND, START, timeline } from '../../../support/store/incident-timeline.ts';
import {
  formerCauseOf,
  incidentOf,
  outboxEntryOf,
  incidentNotificationOf,
} from '../../../support/notify/outbox-entry-of.ts';

describe('timelineOf()', () => {
  test('tells the story in order, each notification once', () => {
    const incident = {
      ...incidentOf(),
      formerCauses: [formerCauseOf('tls-blocked', START + MINUTE)],
      closedAt: START + 5 * MINUTE,
    };
    const resolved = incidentNotificationOf(incident, { id: 'r', at: START + 5 * MINUTE, event: 'resolved' });
    const firing = incidentNotificationOf(incident);
    const outboxEntries = [
      outboxEntryOf(resolved),
      outboxEntryOf(firing, { status: 'sent' }),
      outboxEntryOf(firing, { recipient: 'b@example.org', status: 'sent' }),
      outboxEntryOf(firing, { recipient: 'c@example.org', attempts: 1, detail: 'full' }),
      outboxEntryOf({
        kind: 'digest',
        id: 'd',
        at: START + 2 * MINUTE,
        items: [{ event: 'reminder', incident }],
        omitted: 0,
        omittedOpen: 0,
        stillOpen: [],
      }),
      outboxEntryOf(
        incidentNotificationOf({ ...incidentOf(causeOf('clock-skewed')), id: 'another' }, { id: 'of another' }),
      ),
      outboxEntryOf({ kind: 'test', id: 't', at: START }),
    ];

    expect(
      timelineOf(incident, { outboxEntries, changes: [] }).map(({ kind, at }) => [kind, (at - START) / SECOND]),
    ).toEqual([
      ['seen', 0],
      ['opened', 30],
      ['told', 30],
      ['understood', 60],
      ['told', 120],
      ['closed', 300],
      ['told', 300],
    ]);
    const told = timelineOf(incident, { outboxEntries, changes: [] }).flatMap((step) =>
      step.kind === 'told' ? [step.group] : [],
    );
    expect(told[0]?.ways.map(({ delivery, recipients }) => [delivery.status, recipients])).toEqual([
      ['sent', ['admins@example.org', 'b@example.org']],
      ['pending', ['c@example.org']],
    ]);
  });

  test('tells each time that the fault was there', () => {
    const line = timeline()
      .rounds(2, [])
      .rounds(2, [causeOf('tls-intercepted')])
      .rounds(2, [])
      .rounds(2, [causeOf('tls-intercepted')])
      .rounds(100, []);
    const [incident] = line.state.incidents;
    if (incident === undefined) throw new Error('No incident was opened');
    const steps = timelineOf(incident, { outboxEntries: [], changes: [] });
    expect(steps.map(({ kind }) => kind)).toEqual(['seen', 'opened', 'closed', 'seen', 'opened', 'closed']);
    const over = steps.flatMap((step) => (step.kind === 'closed' ? [lastedText(step.occurrence)] : []));
    expect(over).toEqual(['about 1 min', 'about 1 min']);
  });

  test('tells of the changes that people made, in order', () => {
    const incident = { ...incidentOf(), since: START, openedAt: START, closedAt: START + HOUR };
    const change: AuditEntry = {
      at: START + MINUTE,
      action: 'add-silence',
      incident: null,
      account: 'ada',
      address: '10.0.0.7',
      cause: null,
      subject: null,
      detail: 'silence-1',
    };
    const steps = timelineOf(incident, { outboxEntries: [], changes: [change] });
    expect(steps.map(({ kind }) => kind)).toEqual(['opened', 'changed', 'closed']);
  });

  test('has no time between seen and confirmed where one round was enough', () => {
    const incident = { ...incidentOf(), since: START, openedAt: START };

    expect(timelineOf(incident, { outboxEntries: [], changes: [] }).map(({ kind }) => kind)).toEqual(['opened']);
  });
});
