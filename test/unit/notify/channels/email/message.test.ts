import { describe, expect, it } from 'vitest';
import type { DigestNotification, Incident, Notification } from '../../../../../src/engine/incident/incident.ts';
import { type Cause, sentenceStep } from '../../../../../src/engine/model.ts';
import { composeMessage } from '../../../../../src/notify/channels/email.ts';
import { causeOf } from '../../../../support/checks/diagnosis-of.ts';
import { AT_HQ } from '../../../../support/checks/message-context.ts';
import { incidentOf } from '../../../../support/notify/outbox-entry-of.ts';
import { HOUR, START, timeline } from '../../../../support/store/incident-timeline.ts';

const CONTEXT = { ...AT_HQ, from: 'ftm-watch@example.org', delayed: null };
const PUBLIC = { publicUrl: 'https://ftm.example.org/a&b' };
const INTERCEPTED = causeOf('tls-intercepted', { product: 'Fortinet FortiGate' });

function told(causes: readonly Cause[] = [INTERCEPTED]): readonly Notification[] {
  return timeline()
    .rounds(2, causes)
    .wait(4 * HOUR)
    .tick()
    .rounds(2, []).told;
}

function compose(
  notification: Notification | undefined,
  more: Partial<Parameters<typeof composeMessage>[1]> = {},
): ReturnType<typeof composeMessage> {
  if (notification === undefined) throw new Error('Nothing was told');
  return composeMessage(notification, { ...CONTEXT, ...more });
}

function digest(more: Partial<DigestNotification>): DigestNotification {
  return { kind: 'digest', id: 'd', at: START, items: [], omitted: 0, omittedOpen: 0, stillOpen: [], ...more };
}

describe('composeMessage', () => {
  it('names event and causes in headers', () => {
    const messages = [...told(), digest({ items: [{ event: 'firing', incident: incidentOf() }] })].map((one) =>
      compose(one),
    );
    expect(messages.map(({ headers }) => headers['X-FTM-Watch-Event'])).toEqual([
      'firing',
      'reminder',
      'resolved',
      'digest',
    ]);
    for (const { headers } of messages)
      expect(headers).toMatchObject({ 'X-FTM-Watch-Cause': 'tls-intercepted', 'Auto-Submitted': 'auto-generated' });
    expect(compose({ kind: 'test', id: 't', at: START }).headers).not.toHaveProperty('X-FTM-Watch-Cause');
  });

  it('makes one thread of an incident', () => {
    const messages = told().map((notification) => compose(notification));
    const ids = messages.map(({ messageId }) => messageId);
    expect(ids[0]).toBe('<ftm-watch.20261124T130030Z-a1b2c3d4e5-1.1@example.org>');
    expect(messages.map(({ references }) => references)).toEqual([[], [ids[0]], [ids[0], ids[1]]]);
    expect(new Set(ids).size).toBe(3);
  });

  it('links to the incident and the runbook, between what is wrong and what to do', () => {
    const { text, html } = compose(told()[0], PUBLIC);
    const incident = `${PUBLIC.publicUrl}/incidents/20261124T130030Z-a1b2c3d4e5-1`;
    const runbook = `${PUBLIC.publicUrl}/runbooks/tls-intercepted`;
    for (const body of [text, html.replaceAll('&#38;', '&')]) {
      const places = [INTERCEPTED.summary, incident, runbook, 'Do this.'].map((part) => body.indexOf(part));
      expect(places).not.toContain(-1);
      expect(places).toEqual(places.toSorted((one, other) => one - other));
    }
    expect(html.match(/<a href=/gu)).toHaveLength(2);
  });

  it('is short as a reminder if the page has the rest, and names the start', () => {
    const step = { ...sentenceStep('Look.'), syntax: 'shell', commands: 'dig example.org' } as const;
    const cause = causeOf('tls-intercepted', { evidence: ['It was seen.'], remedySteps: [step] });
    const [firing, reminder] = told([cause]);
    const parts = ['Look.', 'since 13:00', 'It was seen.', 'dig example.org'];
    const partsOf = (notification: Notification | undefined, publicUrl: string | null): readonly boolean[] =>
      parts.map((part) => compose(notification, { publicUrl, timezone: 'UTC' }).text.includes(part));
    expect(partsOf(reminder, PUBLIC.publicUrl)).toEqual([true, true, false, false]);
    expect(partsOf(reminder, null)).toEqual([true, true, true, true]);
    expect(partsOf(firing, PUBLIC.publicUrl)).toEqual([true, false, true, true]);
  });

  it('links in a digest to each incident, and to all of them', () => {
    const causes = ['mail-a:25', 'mail-b:25', 'mail-c:25', 'mail-d:25'].map((subject) =>
      causeOf('mail-slow', { subject }),
    );
    const { text, html } = compose(timeline().rounds(2, causes).told.at(-1), { publicUrl: 'https://ftm.example.org' });
    for (const body of [text, html]) {
      expect(body.match(/https:\/\/ftm\.example\.org\/incidents\/20261124T130030Z-a1b2c3d4e5-\d\b/gu)).toHaveLength(3);
      expect(body.match(/https:\/\/ftm\.example\.org\/runbooks\/mail-slow\b/gu)).toHaveLength(3);
      expect(body.match(/https:\/\/ftm\.example\.org\/incidents(?!\/)/gu)).toHaveLength(1);
    }
  });

  it('has nothing that looks like a link where no page can be opened', () => {
    for (const notification of told()) {
      const { text, html } = compose(notification);
      expect(text + html).not.toMatch(/https?:|<a |incidents\/|runbook/iu);
    }
  });

  it('does not repeat the subject where it is shown, and keeps the case of names', () => {
    const cause = causeOf('appliance-unreachable', { subject: 'fac-1', remedy: ['fac-1 is to be switched on.'] });
    for (const notification of told([cause]).filter((one) => one.kind !== 'incident' || one.event !== 'resolved')) {
      const { subject, text, html } = compose(notification);
      const short = subject.replace(/^.*: /u, '');
      expect(short).toContain('fac-1');
      expect(text).not.toContain(short);
      expect(html.replace(/<title>.*<\/title>/u, '')).not.toContain(short);
      expect(text).not.toContain('Fac-1');
    }
  });

  it('has the colour of what is open, here or elsewhere', () => {
    const colorOf = (incidents: readonly Incident[], more: Partial<DigestNotification> = {}): string | undefined => {
      const items = incidents.map((incident) => ({ event: 'firing', incident }) as const);
      return /border-left:4px solid (#\w+)/u.exec(compose(digest({ items, ...more })).html)?.[1];
    };
    const open = incidentOf();
    const over: Incident = { ...open, status: 'closed', closedAt: START + HOUR };
    const light = incidentOf(causeOf('mail-unreachable', { severity: 'warning' }));
    const [critical, warning, good] = ['#d93a3a', '#c27a00', '#2b9348'];
    expect([colorOf([over]), colorOf([light, over]), colorOf([open, light])]).toEqual([good, warning, critical]);
    const stillOpen = [{ id: 'tls-blocked', subject: 'a:443', severity: 'critical', product: null, since: 0 }] as const;
    expect(colorOf([over], { stillOpen })).toBe(critical);
  });

  it('uses only inline styles, and the colours of the reader', () => {
    const { html } = compose(told()[0]);
    expect(html).not.toMatch(/<style|<script|<link|<img|background|http/u);
    expect(html).toContain('<meta name="color-scheme" content="light dark">');
  });
});
