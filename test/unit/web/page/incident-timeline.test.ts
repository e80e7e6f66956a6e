import { describe, expect, test } from 'vitest';
import { timelineOf } from '../../../../src/web/page/incident-timeline.ts';
import { causeOf } from '../../../support/diagnosis-of.ts';
import { MINUTE, SECOND, START } from '../../../support/incident-timeline.ts';
import { formerCauseOf, incidentOf, outboxEntryOf, incidentNotificationOf } from '../../../support/outbox-entry-of.ts';

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
        stillOpen: [],
      }),
      outboxEntryOf(
        incidentNotificationOf({ ...incidentOf(causeOf('clock-skewed')), id: 'another' }, { id: 'of another' }),
      ),
      outboxEntryOf({ kind: 'test', id: 't', at: START }),
    ];

    expect(timelineOf(incident, outboxEntries).map(({ kind, at }) => [kind, (at - START) / SECOND])).toEqual([
      ['seen', 0],
      ['opened', 30],
      ['told', 30],
      ['understood', 60],
      ['told', 120],
      ['closed', 300],
      ['told', 300],
    ]);
    const told = timelineOf(incident, outboxEntries).flatMap((step) => (step.kind === 'told' ? [step.group] : []));
    expect(told[0]?.ways.map(({ delivery, recipients }) => [delivery.status, recipients])).toEqual([
      ['sent', ['admins@example.org', 'b@example.org']],
      ['pending', ['c@example.org']],
    ]);
  });

  test('has no time between seen and confirmed where one round was enough', () => {
    const incident = { ...incidentOf(), since: START, openedAt: START };

    expect(timelineOf(incident, []).map(({ kind }) => kind)).toEqual(['opened']);
  });
});
