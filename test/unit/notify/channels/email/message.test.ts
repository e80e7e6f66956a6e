import { describe, expect, it } from 'vitest';
import { FAULT_IDS } from '../../../../../src/checks/registry.ts';
import type { Cause } from '../../../../../src/engine/model.ts';
import type { Notification } from '../../../../../src/engine/incident/incident.ts';
import { composeMessage } from '../../../../../src/notify/channels/email.ts';
import { causeOf } from '../../../../support/checks/diagnosis-of.ts';
import { AT_HQ } from '../../../../support/checks/message-context.ts';
import { notificationText } from '../../../../../src/document/notification.ts';
import { HOUR, MINUTE, timeline } from '../../../../support/store/incident-timeline.ts';

const CONTEXT = { ...AT_HQ, from: 'ftm-watch@example.org', delayed: null };
const INTERCEPTED = causeOf('tls-intercepted', {
  product: 'Fortinet FortiGate',
  summary: 'TLS to the licence server is intercepted by Fortinet FortiGate.',
});

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

describe('composeMessage', () => {
  it.each([
    [0, 'firing', 'CRITICAL hq: TLS intercepted by FortiGate'],
    [1, 'reminder', 'REMINDER hq (4 h): TLS intercepted by FortiGate'],
    [2, 'resolved', 'RESOLVED hq: TLS intercepted by FortiGate'],
  ])('says all in the subject (%i, %s)', (index, event, subject) => {
    const message = compose(told()[index]);
    expect(message.subject).toBe(subject);
    expect(message.headers).toMatchObject({
      'X-FTM-Watch-Event': event,
      'X-FTM-Watch-Cause': 'tls-intercepted',
      'Auto-Submitted': 'auto-generated',
    });
  });

  it('makes one thread of an incident', () => {
    const messages = told().map((notification) => compose(notification));
    const ids = messages.map(({ messageId }) => messageId);
    expect(ids[0]).toBe('<ftm-watch.20261124T130030Z-a1b2c3d4e5-1.1@example.org>');
    expect(messages.map(({ references }) => references)).toEqual([[], [ids[0]], [ids[0], ids[1]]]);
    expect(new Set(ids).size).toBe(3);
  });

  it('is good to read at night', () => {
    expect(compose(told()[0]).text).toMatchInlineSnapshot(`
      "New tokens cannot be activated.
      TLS to the licence server is intercepted by Fortinet FortiGate.

      What to do
        1. Do this.
        2. Then do that.

      Evidence
        - Evidence of tls-intercepted

      Site:          hq
      Cause:         tls-intercepted (critical, confirmed)
      Subject:       fortitokenmobile.fortinet.com:443
      Incident:      20261124T130030Z-a1b2c3d4e5-1
      Since:         2026-11-24 13:00:00 UTC, for 30 s
      Skipped:       Licence server
      Next reminder: 2026-11-24 17:00:30 UTC, unless resolved by then

      -- 
      ftm-watch
      "
    `);
  });

  it('links to the incident and the runbook, right after what is wrong', () => {
    const { text, html } = compose(told()[0], { publicUrl: 'https://ftm.example.org/a&b' });
    const incident = 'https://ftm.example.org/a&b/incidents/20261124T130030Z-a1b2c3d4e5-1';
    const runbook = 'https://ftm.example.org/a&b/runbooks/tls-intercepted';
    expect(text).toMatch(
      /^New tokens cannot be activated\.\nTLS to the licence server is intercepted by Fortinet FortiGate\.\n\n/u,
    );
    expect(text.split('\n').slice(3, 5)).toEqual([`Incident: ${incident}`, `Runbook:  ${runbook}`]);
    expect([...html.matchAll(/<a href="([^"]*)"/gu)].map(([, url]) => url?.replaceAll('&#38;', '&'))).toEqual([
      incident,
      runbook,
    ]);
    expect(html.indexOf('is intercepted by')).toBeLessThan(html.indexOf('<a '));
    expect(html.indexOf('</a>')).toBeLessThan(html.indexOf('Do this.'));
  });

  it('links in a digest to each incident, and to all of them', () => {
    const causes = ['mail-a:25', 'mail-b:25', 'mail-c:25', 'mail-d:25'].map((subject) =>
      causeOf('mail-slow', { subject }),
    );
    const digest = compose(timeline().rounds(2, causes).told.at(-1), { publicUrl: 'https://ftm.example.org' });
    for (const text of [digest.text, digest.html]) {
      expect(text.match(/https:\/\/ftm\.example\.org\/incidents\/20261124T130030Z-a1b2c3d4e5-\d\b/gu)).toHaveLength(3);
      expect(text.match(/https:\/\/ftm\.example\.org\/runbooks\/mail-slow\b/gu)).toHaveLength(3);
      expect(text.match(/https:\/\/ftm\.example\.org\/incidents(?!\/)/gu)).toHaveLength(1);
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
    for (const notification of told([cause])) {
      const { subject, text, html } = compose(notification);
      const short = subject.replace(/^.*: /u, '');
      expect(short).toBe('fac-1 is unreachable');
      expect(text).not.toContain(short);
      expect(html.replace(/<title>.*<\/title>/u, '')).not.toContain(short);
      expect(text).not.toContain('Fac-1');
    }
  });

  it('tells times in the zone of the site and in UTC', () => {
    const [firing, , resolved] = told().map(
      (notification) => compose(notification, { timezone: 'Europe/Berlin' }).text,
    );
    expect(firing).toContain('Since:         2026-11-24 14:00:00 +01:00 (13:00:00 UTC), for 30 s\n');
    expect(firing).toContain('Next reminder: 2026-11-24 18:00:30 +01:00 (17:00:30 UTC), unless resolved by\n');
    expect(resolved).toMatch(/^From: +2026-11-24 14:00:00 \+01:00 \(13:00:00 UTC\)$/mu);
  });

  it('does not claim that a resolved fault still exists', () => {
    const resolved = told().at(-1);
    expect(compose(resolved).text).toMatch(/^What was detected\n {2}TLS to the licence server is intercepted by/mu);
    if (resolved === undefined) throw new Error('Nothing was sent');
    expect(notificationText(resolved, AT_HQ).summary).toMatch(
      /^The incident lasted [\w ]+\. What was detected: TLS to the licence server is intercepted by/u,
    );
  });

  it('says how late it is', () => {
    const [firing] = told();
    const at = firing?.at ?? 0;
    const { text, html } = compose(firing, { delayed: { firstFailedAt: at + 1_000, now: at + 2 * HOUR + 5 * MINUTE } });
    expect(text).toContain('Delivery:      first failed at 2026-11-24 13:00:31 UTC, delayed by 2 h 5 min');
    expect(html).toContain('first failed at 2026-11-24 13:00:31 UTC, delayed by 2 h 5 min');
  });

  it('says what changed', () => {
    const line = timeline().rounds(2, [causeOf('tls-interception-suspected', { confidence: 'suspected' })]);
    const changed = compose(line.rounds(2, [INTERCEPTED]).told[1]);
    expect(changed.subject).toBe('CRITICAL hq (changed): TLS intercepted by FortiGate');
    const text = changed.text.replaceAll(/\s+/gu, ' ');
    expect(text).toContain(
      'Until 2026-11-24 13:00:30 UTC, the cause was believed to be tls-interception-suspected (critical, ',
    );
    expect(text).toContain(
      'Since: 2026-11-24 13:01:00 UTC, for 30 s First sign: 2026-11-24 13:00:00 UTC, for 1 min 30 s',
    );
  });

  it('says in an all-clear what is still open', () => {
    const line = timeline().rounds(2, [INTERCEPTED]);
    const over = compose(line.rounds(3, [causeOf('policy-missing', { subject: 'fac -> ftm' })]).told.at(-1));
    expect(over.subject).toBe('RESOLVED hq (1 open): TLS intercepted by FortiGate');
    expect(over.text).not.toContain('No action');
    expect(over.text.replaceAll(/\s+/gu, ' ')).toContain(
      'Still open - critical: no firewall policy allows the traffic (policy-missing, fac -> ftm), since 2026-11-24 ' +
        '13:01:00 UTC',
    );
    expect(compose(line.rounds(3, []).told.at(-1)).text).toContain('No action is required.');
  });

  it('names in the end of two that came and went in turn both, and their times', () => {
    const hijacked = causeOf('answer-hijacked', { subject: 'fortitokenmobile.fortinet.com' });
    const line = timeline().rounds(4, [INTERCEPTED]).rounds(4, [hijacked]).rounds(4, [INTERCEPTED]).rounds(40, []);
    const text = compose(line.told.at(-1)).text.replaceAll(/\s+/gu, ' ');
    expect(text).toContain('from 2026-11-24 13:00:00 UTC to 2026-11-24 13:01:30 UTC - answer-hijacked');
    expect(text).toContain('from 2026-11-24 13:02:00 UTC to 2026-11-24 13:03:30 UTC - tls-intercepted');
    expect(text).toContain('from 2026-11-24 13:04:00 UTC to 2026-11-24 13:05:30 UTC');
  });

  it('ends what people were told to have begun, though another took its place in maintenance', () => {
    const hijacked = causeOf('answer-hijacked', { subject: 'fortitokenmobile.fortinet.com' });
    const line = timeline().rounds(4, [INTERCEPTED]);
    line.input({ kind: 'maintenance', at: line.now, active: true });
    for (const causes of [[hijacked], [INTERCEPTED], [hijacked], []]) line.rounds(40, causes);
    line.input({ kind: 'maintenance', at: line.now, active: false });
    expect(line.heard()).toEqual(['firing tls-intercepted', 'resolved answer-hijacked']);
    const over = compose(line.told.at(-1));
    expect(over.subject).toBe('RESOLVED hq: TLS is intercepted');
    expect(over.text).toMatch(/^No action is required\.\n/u);
    expect(over.text).toContain('answer-hijacked (critical');
  });

  it('lists a digest', () => {
    const many = Array.from({ length: 50 }, (_, index) =>
      causeOf('mail-unreachable', { subject: `mail-${String(index)}:25` }),
    );
    const digest = compose(timeline().rounds(2, many).told[1]);
    expect(digest.subject).toBe('CRITICAL hq: 50 incidents open, 0 resolved');
    expect(digest.headers).toMatchObject({ 'X-FTM-Watch-Event': 'digest', 'X-FTM-Watch-Cause': 'mail-unreachable' });
    // The first incident was sent in a separate mail, and is also open.
    expect(digest.text.match(/^ {2}- critical:/gmu)).toHaveLength(50);
  });

  it.each(['polling-failing', 'license-not-registered'] as const)(
    'does not call a mere warning in the log an outage (%s)',
    (id) => {
      const [notification] = told([causeOf(id, { severity: 'warning', subject: 'fac-1' })]);
      expect(compose(notification).subject).toBe("WARNING hq: warning in a unit's log");
    },
  );

  it('has a headline for every cause', () => {
    for (const id of FAULT_IDS) {
      expect(compose(told([causeOf(id)])[0]).subject).toMatch(/^CRITICAL hq: \S.{8,}$/u);
    }
  });

  it('uses only inline styles, and the colours of the reader', () => {
    const { html } = compose(told()[0]);
    expect(html).not.toMatch(/<style|<script|<link|<img|background|http/u);
    expect(html).toContain('<meta name="color-scheme" content="light dark">');
  });
});
