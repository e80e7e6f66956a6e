import { describe, expect, test } from 'vitest';
import type { Notification } from '../../../../../src/engine/incident/incident.ts';
import { pagerdutyEvents } from '../../../../../src/notify/channels/pagerduty.ts';
import { AT_PUBLIC_HQ } from '../../../../support/notify/channel-bench.ts';
import { causeOf } from '../../../../support/checks/diagnosis-of.ts';
import { HOUR, MINUTE, timeline } from '../../../../support/store/incident-timeline.ts';

const suspected = causeOf('tls-interception-suspected', { severity: 'warning', confidence: 'suspected' });
const confirmed = causeOf('tls-intercepted');

function eventsOf(notification: Notification, context = AT_PUBLIC_HQ): ReturnType<typeof pagerdutyEvents> {
  return pagerdutyEvents(notification, context);
}

/** Returns `trigger KEY` or `resolve KEY` for each event. Keys are letters in order of appearance. */
function storyOf(told: readonly Notification[]): readonly string[] {
  const keys: string[] = [];
  return told.map((notification) =>
    eventsOf(notification)
      .map(({ event_action: action, dedup_key: key }) => {
        if (!keys.includes(key)) keys.push(key);
        return `${action} ${String.fromCodePoint(0x41 + keys.indexOf(key))}`;
      })
      .join(', '),
  );
}

describe('pagerdutyEvents()', () => {
  test('triggers at the beginning and with each reminder, under one key, and resolves at the end', () => {
    const { told } = timeline()
      .rounds(2, [confirmed])
      .wait(5 * HOUR)
      .rounds(2, [confirmed])
      .rounds(5, []);
    expect(storyOf(told)).toEqual(['trigger A', 'trigger A', 'resolve A']);
    expect(eventsOf(told[0] ?? fail())[0]).toMatchObject({
      client_url: expect.stringMatching(/^https:\/\/monitor\.example\.org\/incidents\//u) as string,
      links: [{ href: 'https://monitor.example.org/runbooks/tls-intercepted', text: 'Runbook' }],
      payload: { severity: 'critical', source: confirmed.subject, class: 'tls-intercepted', group: 'hq' },
    });
  });

  test('ends what an incident was taken for before when it is understood better', () => {
    const { told } = timeline().rounds(3, [suspected]).rounds(3, [confirmed]).rounds(5, []);
    expect(storyOf(told)).toEqual(['trigger A', 'trigger B, resolve A', 'resolve B, resolve A']);
  });

  test('leaves open what is open by itself', () => {
    const [, changed] = timeline().rounds(3, [suspected]).rounds(3, [confirmed]).told;
    if (changed?.kind !== 'incident') throw new Error('No change was told');
    const { id, subject, severity } = suspected;
    const stillOpen = [{ id, subject, severity, product: null, since: 0 }];
    expect(storyOf([{ ...changed, stillOpen }])).toEqual(['trigger A']);
  });

  test.each([
    ['alone', []],
    ['in a digest', Array.from({ length: 5 }, (_, index) => causeOf('mail-unreachable', { subject: String(index) }))],
  ])('leaves open a fault that ended and returned in maintenance, %s', (_, others) => {
    const maintenance = (active: boolean) => ({ kind: 'maintenance', at: line.now, active }) as const;
    const line = timeline()
      .rounds(2, [confirmed])
      .rounds(2, [confirmed, ...others]);
    line
      .input(maintenance(true))
      .rounds(5, [])
      .wait(HOUR)
      .rounds(3, [confirmed, ...others])
      .input(maintenance(false));
    const events = line.told.flatMap((one) => eventsOf(one));
    const lastActions = (told: typeof events): unknown =>
      new Set(new Map(told.map((event) => [event.dedup_key, event.event_action])).values());
    expect(lastActions(events)).toEqual(new Set(['trigger']));
    expect(lastActions(line.rounds(5, []).told.flatMap((one) => eventsOf(one)))).toEqual(new Set(['resolve']));
  });

  test.each([
    ['critical', ''],
    ['warning', 'resolve A'],
  ] as const)('leaves an alert open only for an incident that is as severe: %s', (severity, expected) => {
    const resolved = timeline().rounds(2, [confirmed]).rounds(5, []).told[1];
    if (resolved?.kind !== 'incident') throw new Error('No end was told');
    const { id, subject } = confirmed;
    const stillOpen = [{ id, subject, severity, product: null, since: 0 }];
    expect(storyOf([{ ...resolved, stillOpen }])).toEqual([expected]);
  });

  test('has one key for two agents of a site, and others for another site, cause or subject', () => {
    const keyOf = (site: string, cause = confirmed): string => {
      const [first] = timeline().rounds(2, [cause]).told;
      const [event] = eventsOf(first ?? fail(), { ...AT_PUBLIC_HQ, site });
      return event?.dedup_key ?? '';
    };
    const later = timeline().wait(MINUTE).rounds(2, [confirmed]).told[0] ?? fail();
    expect(eventsOf(later)[0]?.dedup_key).toBe(keyOf('hq'));
    const keys = [
      keyOf('hq'),
      keyOf('branch'),
      keyOf('hq', suspected),
      keyOf('hq', { ...confirmed, subject: 'x:443' }),
    ];
    expect(new Set(keys).size).toBe(4);
  });

  test('tells each incident of a digest by itself', () => {
    const mails = Array.from({ length: 5 }, (_, index) => causeOf('mail-unreachable', { subject: String(index) }));
    expect(storyOf(timeline().rounds(2, mails).told)).toEqual([
      'trigger A',
      'trigger B, trigger C, trigger D, trigger E',
    ]);
  });

  test('ends a test at once', () => {
    expect(storyOf([{ kind: 'test', id: 'test-1', at: 0 }])).toEqual(['trigger A, resolve A']);
  });
});

function fail(): never {
  throw new Error('Nothing was told');
}
