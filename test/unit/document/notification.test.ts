import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CAUSE_IDS } from '../../../src/checks/registry.ts';
import type { Notification } from '../../../src/engine/incident/incident.ts';
import { type MessageContext, notificationText } from '../../../src/document/notification.ts';
import { anyText } from '../../support/security/any-text.ts';
import { causeOf } from '../../support/checks/diagnosis-of.ts';
import { AT_HQ } from '../../support/checks/message-context.ts';
import { HOUR, timeline, type Timeline } from '../../support/store/incident-timeline.ts';

const PUBLIC = { ...AT_HQ, publicUrl: 'https://ftm.example.org/watch' };
const INTERCEPTED = causeOf('tls-intercepted', { product: 'Fortinet FortiGate' });
const NO_POLICY = causeOf('policy-missing', { subject: 'fac -> ftm' });
const SEVERAL = [INTERCEPTED, NO_POLICY, causeOf('clock-skewed'), causeOf('mail-slow')];
const TEST = { kind: 'test', id: 'test-1', at: 0 } as const;

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

function subjects(told: readonly Notification[], context = AT_HQ): readonly string[] {
  return told.map((notification) => notificationText(notification, context).subject);
}

describe('the subject', () => {
  test.each([
    [0.5, INTERCEPTED, 'hq', 'hq (30 min): '],
    [1.6, INTERCEPTED, 'hq', 'hq (1 h 36 min): '],
    [51.6, INTERCEPTED, 'hq', 'hq (2 d 3 h): '],
    [1.6, causeOf('precondition-unknown'), 'branch-12345', 'branch-12345 (1 h): a step '],
  ])('of a reminder after %f h says how long, and leaves the site its room', (hours, cause, site, expected) => {
    const [firing] = storyOf(cause);
    if (firing?.kind !== 'incident') throw new Error('Expected an incident');
    const reminder = { ...firing, event: 'reminder', at: firing.incident.since + hours * HOUR } as const;
    expect(subjects([reminder], { ...AT_HQ, site })).toEqual([expect.stringContaining(expected)]);
  });

  test('of a digest counts what is open and what is not, also what is left out', () => {
    const many = Array.from({ length: 50 }, (_, index) => causeOf('mail-unreachable', { subject: String(index) }));
    const line = timeline().rounds(2, many);
    const open = last(line);
    const over = last(line.rounds(2, []));
    if (over.kind !== 'digest') throw new Error('Expected a digest');
    const told = [
      open,
      over,
      { ...over, omitted: 51, omittedOpen: 0 },
      { ...over, omitted: 51, omittedOpen: 1 },
      { ...over, items: over.items.slice(0, 1) },
    ];
    const numbers = subjects(told).map((subject) => [/^\w+/u.exec(subject)?.[0], subject.match(/\d+/gu)?.map(Number)]);
    expect(numbers).toEqual([
      // The first incident was sent separately and is still open.
      ['CRITICAL', [50, 0]],
      ['RESOLVED', [49]],
      ['RESOLVED', [100]],
      ['WARNING', [1, 99]],
      ['RESOLVED', [1]],
    ]);
  });

  test.each([
    ['critical', /: TLS is intercepted\b/u],
    ['warning', /, the mail server 1\b/u],
  ] as const)('of a digest says whether an incident that it does not list is more severe: %s', (severity, action) => {
    const known = { ...INTERCEPTED, severity };
    const mails = ['0', '1', '2', '3'].map((subject) => causeOf('mail-unreachable', { subject, severity: 'warning' }));
    const digest = last(
      timeline()
        .rounds(2, [known])
        .rounds(2, [known, ...mails]),
    );
    expect([digest.kind, notificationText(digest, AT_HQ).action]).toEqual(['digest', expect.stringMatching(action)]);
  });

  test('has at most 60 characters, and the site is cut at a word, never the state nor the cause', () => {
    const site = 'the-headquarters-of-the-company-in-the-very-far-north-west.example';
    for (const id of CAUSE_IDS) {
      const story = storyOf(causeOf(id, { subject: 'fac-1' }));
      const short = subjects(story, { ...AT_HQ, site: 'site' });
      const long = subjects(story, { ...AT_HQ, site });
      expect(long.length).toBeGreaterThan(1);
      for (const [index, subject] of long.entries()) {
        expect(subject.length).toBeLessThanOrEqual(60);
        const [, state, rest] = /^([A-Z]+) FTM site(.*)$/u.exec(short[index] ?? '') ?? [];
        expect(subject).toMatch(/^[A-Z]+ FTM the(?:-(?:headquarters|of|the|company))*…[ :]/u);
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
        for (const subject of subjects(told, { ...AT_HQ, site })) {
          expect(subject.length).toBeLessThanOrEqual(60);
          expect(subject).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
        }
      }),
    );
  });
});

describe('the links', () => {
  const incident = 'incidents/20261124T130030Z-a1b2c3d4e5-1';
  const [firing] = storyOf();

  test.each<[string, Notification | undefined, Partial<MessageContext>, string | null, string | null]>([
    ['the incident and the runbook of its cause', firing, {}, `/watch/${incident}`, '/watch/runbooks/tls-intercepted'],
    [
      'the same where the address ends with a slash',
      firing,
      { publicUrl: 'https://ftm.example.org/' },
      `/${incident}`,
      '/runbooks/tls-intercepted',
    ],
    [
      'a runbook elsewhere',
      firing,
      { publicUrl: null, runbookUrl: 'https://ftm.example.org/wiki' },
      null,
      '/wiki/tls-intercepted',
    ],
    ['nothing where people cannot open the page', firing, { publicUrl: null }, null, null],
    ['the list of several', last(timeline().rounds(2, SEVERAL)), {}, '/watch/incidents', null],
    ['the status page from a test', TEST, {}, '/watch/', null],
  ])('lead to %s', (_, notification, context, page, runbook) => {
    const urlOf = (path: string | null): string | null => (path === null ? null : `https://ftm.example.org${path}`);
    const { links } = notificationText(notification ?? TEST, { ...PUBLIC, ...context });
    expect(links).toEqual({ page: urlOf(page), runbook: urlOf(runbook) });
  });
});

test('what to do is the first step of the gravest incident, with its tone while it lasts', () => {
  const toldOf = (notification: Notification): readonly [string, string] => {
    const { action, tone } = notificationText(notification, AT_HQ);
    return [/Do this\.$|Ask somebody\.$/u.exec(action)?.[0] ?? '', tone];
  };
  expect(storyOf().map(toldOf)).toEqual([
    ['Do this.', 'critical'],
    ['Do this.', 'critical'],
    ['', 'good'],
  ]);
  // Another one is still open.
  expect(toldOf(last(timeline().rounds(2, [INTERCEPTED]).rounds(3, [NO_POLICY])))).toEqual(['', 'critical']);
  const warnings = ['mail-a', 'mail-b'].map((subject) => causeOf('mail-slow', { severity: 'warning', subject }));
  const slow = causeOf('mail-slow', { severity: 'warning', subject: 'mx:25', remedy: ['Ask somebody.'] });
  expect(toldOf(last(timeline().rounds(2, [slow, ...warnings])))[1]).toBe('warning');
  // The first incident was sent separately and is still open.
  expect(toldOf(last(timeline().rounds(2, [INTERCEPTED, slow, ...warnings])))).toEqual(['Ask somebody.', 'critical']);
});
