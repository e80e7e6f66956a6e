import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { headline } from '../../../src/checks/headline.ts';
import { CAUSE_IDS } from '../../../src/checks/registry.ts';
import type { Notification } from '../../../src/engine/incident/incident.ts';
import { adaptiveCardMessage } from '../../../src/notify/channels/teams.ts';
import { type MessageContext, notificationText } from '../../../src/document/notification.ts';
import { anyText } from '../../support/security/any-text.ts';
import { causeOf } from '../../support/checks/diagnosis-of.ts';
import { AT_HQ } from '../../support/checks/message-context.ts';
import { HOUR, timeline, type Timeline } from '../../support/store/incident-timeline.ts';

const CONTEXT = AT_HQ;
const PUBLIC = { ...CONTEXT, publicUrl: 'https://ftm.example.org/watch' };
const INTERCEPTED = causeOf('tls-intercepted', { product: 'Fortinet FortiGate' });
const SUSPECTED = causeOf('tls-interception-suspected', { confidence: 'suspected' });
const NO_POLICY = causeOf('policy-missing', { subject: 'fac -> ftm' });
const INCIDENT = '20261124T130030Z-a1b2c3d4e5-1';

function last(line: Timeline): Notification {
  const notification = line.told.at(-1);
  if (notification === undefined) throw new Error('Nothing was told');
  return notification;
}

/** Returns the notifications for everything that can happen to one incident. */
function storyOf(cause = INTERCEPTED): readonly Notification[] {
  const line = timeline()
    .rounds(2, [cause])
    .wait(4 * HOUR);
  return line.tick().rounds(2, []).told;
}

function withProduct(notification: Notification, product: string): Notification {
  if (notification.kind !== 'incident') return notification;
  const { incident } = notification;
  return { ...notification, incident: { ...incident, cause: { ...incident.cause, product } } };
}

const subjects = (told: readonly Notification[], context = CONTEXT): readonly string[] =>
  told.map((notification) => notificationText(notification, context).subject);

describe('the subject', () => {
  test('says the state first, then the site, then the cause', () => {
    expect(subjects(storyOf())).toEqual([
      'CRITICAL hq: TLS intercepted by FortiGate',
      'REMINDER hq (4 h): TLS intercepted by FortiGate',
      'RESOLVED hq: TLS intercepted by FortiGate',
    ]);
    expect(subjects(timeline().rounds(2, [{ ...INTERCEPTED, severity: 'warning' }]).told)).toEqual([
      'WARNING hq: TLS intercepted by FortiGate',
    ]);
  });

  test.each([
    [0.5, INTERCEPTED, 'hq', 'REMINDER hq (30 min): TLS intercepted by FortiGate'],
    [1.6, INTERCEPTED, 'hq', 'REMINDER hq (1 h 36 min): TLS intercepted by FortiGate'],
    [51.6, INTERCEPTED, 'hq', 'REMINDER hq (2 d 3 h): TLS intercepted by FortiGate'],
    [1.6, causeOf('precondition-unknown'), 'branch-7', 'REMINDER branch-7 (1 h): a precondition cannot be checked'],
  ])('of a reminder after %f h says how long, and leaves the site its room', (hours, cause, site, expected) => {
    const [firing] = storyOf(cause);
    if (firing?.kind !== 'incident') throw new Error('Expected an incident');
    const at = firing.incident.since + hours * HOUR;
    expect(subjects([{ ...firing, event: 'reminder', at }], { ...CONTEXT, site })).toEqual([expected]);
  });

  test('says that the cause is another one now', () => {
    const line = timeline().rounds(2, [SUSPECTED]).rounds(2, [INTERCEPTED]);
    expect(subjects(line.told)).toEqual([
      'CRITICAL hq: TLS is probably intercepted',
      'CRITICAL hq (changed): TLS intercepted by FortiGate',
    ]);
  });

  test('of an end does not hide what is still open', () => {
    const line = timeline().rounds(2, [INTERCEPTED]).rounds(3, [NO_POLICY]);
    expect(subjects([last(line)])).toEqual(['RESOLVED hq (1 open): TLS intercepted by FortiGate']);
  });

  test('of a digest counts', () => {
    const many = Array.from({ length: 50 }, (_, index) =>
      causeOf('mail-unreachable', { subject: `mail-${String(index)}:25` }),
    );
    const line = timeline().rounds(2, many);
    expect(subjects([last(line)])).toEqual(['CRITICAL hq: 50 incidents open, 0 resolved']);
    const over = last(line.rounds(2, []));
    expect(subjects([over])).toEqual(['RESOLVED hq: 49 incidents']);
    if (over.kind !== 'digest') throw new Error('Expected a digest');
    expect(subjects([{ ...over, omitted: 51, omittedOpen: 0 }])).toEqual(['RESOLVED hq: 100 incidents']);
    expect(subjects([{ ...over, omitted: 51, omittedOpen: 1 }])).toEqual(['WARNING hq: 1 incident open, 99 resolved']);
    const one = { ...over, items: over.items.slice(0, 1) };
    expect(subjects([one])).toEqual(['RESOLVED hq: 1 incident']);
    expect(notificationText(one, CONTEXT).summary).toBe('This message is about 1 incident.');
  });

  test('of a test says so', () => {
    expect(subjects([{ kind: 'test', id: 'test-1', at: 0 }])).toEqual(['TEST hq: test message from ftm-watch']);
  });

  test('has at most 60 characters, and the site is cut, never the state nor the cause', () => {
    const site = 'the-headquarters-of-the-company-in-the-very-far-north-west.example';
    for (const id of CAUSE_IDS) {
      const story = storyOf(causeOf(id, { subject: 'fac-1' }));
      const short = subjects(story, { ...CONTEXT, site: '' });
      const long = subjects(story, { ...CONTEXT, site });
      expect(long.length).toBeGreaterThan(1);
      for (const [index, subject] of long.entries()) {
        expect(subject).toHaveLength(60);
        const [, state, rest] = /^([A-Z]+) -(.*)$/u.exec(short[index] ?? '') ?? [];
        expect(subject).toMatch(/^[A-Z]+ the-he[\w.-]*…[ :]/u);
        expect(subject.startsWith(`${state ?? ''} `)).toBe(true);
        expect(subject.endsWith(rest ?? '')).toBe(true);
      }
    }
  });

  test('is one visible line, whatever the site and the product are', () => {
    const story = storyOf();
    fc.assert(
      fc.property(anyText(100), anyText(100), (site, product) => {
        const told = story.map((notification) => withProduct(notification, product));
        for (const subject of subjects(told, { ...CONTEXT, site })) {
          expect(subject.length).toBeLessThanOrEqual(60);
          expect(subject).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
        }
      }),
    );
  });
});

describe('the links', () => {
  const linksOf = (notification: Notification | undefined, context: MessageContext): unknown =>
    notification === undefined ? null : notificationText(notification, context).links;

  test('lead to the incident and to the runbook of its cause', () => {
    const [firing] = storyOf();
    expect(linksOf(firing, PUBLIC)).toEqual({
      page: `https://ftm.example.org/watch/incidents/${INCIDENT}`,
      runbook: 'https://ftm.example.org/watch/runbooks/tls-intercepted',
    });
    expect(linksOf(firing, { ...PUBLIC, publicUrl: 'https://ftm.example.org/' })).toEqual({
      page: `https://ftm.example.org/incidents/${INCIDENT}`,
      runbook: 'https://ftm.example.org/runbooks/tls-intercepted',
    });
    expect(linksOf(firing, { ...CONTEXT, runbookUrl: 'https://wiki.example.org/ftm' })).toEqual({
      page: null,
      runbook: 'https://wiki.example.org/ftm/tls-intercepted',
    });
  });

  test('of several lead to the list, of a test to the status page', () => {
    const causes = [INTERCEPTED, NO_POLICY, causeOf('clock-skewed'), causeOf('mail-slow')];
    expect(linksOf(timeline().rounds(2, causes).told.at(-1), PUBLIC)).toEqual({
      page: 'https://ftm.example.org/watch/incidents',
      runbook: null,
    });
    expect(linksOf({ kind: 'test', id: 'test-1', at: 0 }, PUBLIC)).toEqual({
      page: 'https://ftm.example.org/watch/',
      runbook: null,
    });
  });

  test('say on a button of Teams what they open', () => {
    const buttonsOf = (notification: Notification): readonly string[] => {
      const { attachments } = adaptiveCardMessage(notification, PUBLIC) as {
        readonly attachments: readonly { readonly content: { readonly actions: readonly Record<string, string>[] } }[];
      };
      return attachments.flatMap(({ content }) => content.actions.map(({ title, url }) => `${title} ${url}`));
    };
    const several = [INTERCEPTED, NO_POLICY, causeOf('clock-skewed'), causeOf('mail-slow')];
    expect(buttonsOf(last(timeline().rounds(2, [INTERCEPTED])))).toEqual([
      `Incident https://ftm.example.org/watch/incidents/${INCIDENT}`,
      'Runbook https://ftm.example.org/watch/runbooks/tls-intercepted',
    ]);
    expect(buttonsOf(last(timeline().rounds(2, several)))).toEqual([
      'Incidents https://ftm.example.org/watch/incidents',
    ]);
    expect(buttonsOf({ kind: 'test', id: 'test-1', at: 0 })).toEqual(['Status page https://ftm.example.org/watch/']);
  });

  test('are none without an address that people can open', () => {
    for (const notification of storyOf()) expect(linksOf(notification, CONTEXT)).toEqual({ page: null, runbook: null });
  });
});

describe('what to do', () => {
  const actionOf = (notification: Notification): readonly [string, string] => {
    const { action, tone } = notificationText(notification, CONTEXT);
    return [action, tone];
  };

  test('is the first step while it lasts, and nothing when it is over', () => {
    expect(storyOf().map(actionOf)).toEqual([
      ['Do this.', 'critical'],
      ['Do this.', 'critical'],
      ['No action is required.', 'good'],
    ]);
    expect(actionOf(last(timeline().rounds(2, [INTERCEPTED]).rounds(3, [NO_POLICY])))).toEqual([
      'This incident is resolved, but another one is still open: no firewall policy allows the traffic.',
      'critical',
    ]);
  });

  test('is that of the gravest of several', () => {
    const slow = causeOf('mail-slow', { severity: 'warning', subject: 'mx:25', remedy: ['Ask the mail team.'] });
    const others = ['mail-a', 'mail-b'].map((subject) => causeOf('mail-slow', { severity: 'warning', subject }));
    const line = timeline().rounds(2, [INTERCEPTED, slow, ...others]);
    expect(actionOf(last(line))).toEqual([
      expect.stringMatching(new RegExp(`${headline(slow)}: Ask the mail team\\.$`, 'u')),
      // The first incident was sent separately and is still open.
      'critical',
    ]);
  });
});
