import { sentenceStep } from '../../../src/engine/remedy.ts';
import { FAULT_IDS } from '../../../src/checks/registry.ts';
import fc from 'fast-check';
import { createTransport } from 'nodemailer';
import { describe, expect, it } from 'vitest';
import type { Cause } from '../../../src/engine/cause.ts';
import type { Notification } from '../../../src/engine/incident/notification.ts';
import { composeMessage } from '../../../src/notify/channels/email/message.ts';
import type { Message } from '../../../src/notify/channels/email/message.ts';
import { causeOf } from '../../support/diagnosis-of.ts';
import { HOUR, MINUTE, timeline } from '../../support/incident-timeline.ts';

const CONTEXT = { site: 'hq', from: 'ftm-watch@example.org', delayed: null };
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
): Message {
  if (notification === undefined) throw new Error('Nothing was told');
  return composeMessage(notification, { ...CONTEXT, ...more });
}

describe('composeMessage', () => {
  it.each([
    [0, 'firing', '[hq] FortiToken Mobile activation is broken: TLS is intercepted by Fortinet FortiGate'],
    [1, 'reminder', '[hq] FortiToken Mobile activation is still broken: TLS is intercepted by Fortinet FortiGate'],
    [2, 'resolved', '[hq] FortiToken Mobile activation: resolved: TLS is intercepted by Fortinet FortiGate'],
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
      "TLS is intercepted by Fortinet FortiGate
      ========================================

      TLS to the licence server is intercepted by Fortinet FortiGate.

      What users feel
        New tokens cannot be activated.

      What to do
        1. Do this.
        2. Then do that.

      Evidence
        - Evidence of tls-intercepted

      Site:          hq
      Cause:         tls-intercepted (critical, confirmed)
      Subject:       fortitokenmobile.fortinet.com:443
      Incident:      20261124T130030Z-a1b2c3d4e5-1
      Since:         2026-11-24 13:00:00 UTC (30 s)
      Blocked by it: Licence server
      Next reminder: 2026-11-24 17:00:30 UTC, if it is still open

      -- 
      ftm-watch
      "
    `);
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
    expect(changed.subject).toBe(
      '[hq] FortiToken Mobile activation is broken, the cause is now: TLS is intercepted by Fortinet FortiGate',
    );
    const text = changed.text.replaceAll(/\s+/gu, ' ');
    expect(text).toContain(
      'Until 2026-11-24 13:00:30 UTC the cause was taken to be tls-interception-suspected (critical, ',
    );
    expect(text).toContain('Since: 2026-11-24 13:01:00 UTC (30 s) First sign: 2026-11-24 13:00:00 UTC (1 min 30 s)');
  });

  it('says in an all-clear what is still open', () => {
    const line = timeline().rounds(2, [INTERCEPTED]);
    const over = compose(line.rounds(3, [causeOf('policy-missing', { subject: 'fac -> ftm' })]).told.at(-1));
    expect(over.subject).toBe(
      '[hq] FortiToken Mobile activation: resolved: TLS is intercepted by Fortinet FortiGate (still open: no ' +
        'firewall policy allows the traffic)',
    );
    expect(over.text).not.toContain('nothing to do');
    expect(over.text.replaceAll(/\s+/gu, ' ')).toContain(
      'Still open - critical: no firewall policy allows the traffic (policy-missing, fac -> ftm), since 2026-11-24 ' +
        '13:01:00 UTC',
    );
    expect(compose(line.rounds(3, []).told.at(-1)).text).toContain('There is nothing to do.');
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
    expect(over.subject).toBe('[hq] FortiToken Mobile activation: resolved: TLS is intercepted');
    expect(over.text).toContain('Resolved: TLS is intercepted\n');
    expect(over.text).toContain('answer-hijacked (critical');
  });

  it('lists a digest', () => {
    const many = Array.from({ length: 50 }, (_, index) =>
      causeOf('mail-unreachable', { subject: `mail-${String(index)}:25` }),
    );
    const digest = compose(timeline().rounds(2, many).told[1]);
    expect(digest.subject).toBe('[hq] FortiToken Mobile activation: 49 more incidents open, 0 resolved');
    expect(digest.headers).toMatchObject({ 'X-FTM-Watch-Event': 'digest', 'X-FTM-Watch-Cause': 'mail-unreachable' });
    // The first one had a mail of its own, and is open too.
    expect(digest.text.match(/^ {2}- critical:/gmu)).toHaveLength(50);
  });

  it.each(['polling-failing', 'license-not-registered'] as const)(
    'does not call a mere warning in the log an outage (%s)',
    (id) => {
      const [notification] = told([causeOf(id, { severity: 'warning', subject: 'fac-1' })]);
      expect(compose(notification).subject).toContain('the log of fac-1 has a warning');
    },
  );

  it('has a headline for every cause', () => {
    for (const id of FAULT_IDS) {
      expect(compose(told([causeOf(id)])[0]).subject).toMatch(
        /^\[hq\] FortiToken Mobile activation is broken: \S.{8,}$/u,
      );
    }
  });

  it('uses only inline styles, and the colours of the reader', () => {
    const { html } = compose(told()[0]);
    expect(html).not.toMatch(/<style|<script|<link|<img|background|http/u);
    expect(html).toContain('<meta name="color-scheme" content="light dark">');
  });
});

describe('hostile text', () => {
  const nasty = fc.oneof(
    fc.constantFrom(
      '\r\nBcc: all@example.org\r\n',
      '\n\n<script>alert(1)</script>',
      '</title><b>',
      '"><img src=x onerror=y>',
      '\u2028\u202e\0',
      '\n.\n',
      '$&{subject}',
    ),
    fc.string({ unit: 'binary', maxLength: 200 }),
  );

  async function wire(message: Message): Promise<string> {
    const transport = createTransport({ streamTransport: true, buffer: true, newline: 'windows' });
    const { subject, messageId, references, headers, text, html } = message;
    const info = await transport.sendMail({
      from: 'a@example.org',
      to: 'b@example.org',
      subject,
      messageId,
      references: [...references],
      headers: { ...headers },
      text,
      html,
    });
    return Buffer.isBuffer(info.message) ? info.message.toString('utf8') : '';
  }

  it('adds no header and breaks no HTML', async () => {
    const expected = namesOf(await wire(compose(told()[0])));
    await fc.assert(
      fc.asyncProperty(nasty, nasty, async (first, second) => {
        const cause = causeOf('mail-unreachable', {
          subject: first,
          product: second,
          summary: first,
          impact: second,
          evidence: [first, second],
          remedySteps: [{ ...sentenceStep(second), commands: '</pre><i>"&', undo: "'><script>" }],
        });
        const message = compose(told([cause])[0], { site: first, from: `x@${second}` });
        expect(namesOf(await wire(message))).toEqual(expected);
        expect(message.subject).not.toMatch(/[\r\n]/u);
        expect(tagsOf(message.html)).toEqual(
          '!doctype body div h1 h2 head html li meta ol p pre table td th title tr ul'.split(' '),
        );
      }),
      { numRuns: 200 },
    );
  });

  it('stays small whatever is quoted', () => {
    const evil = '<\r\n&'.repeat(3_000_000);
    const message = compose(
      told([causeOf('tls-intercepted', { summary: evil, evidence: [evil, evil], product: evil })])[0],
      {
        site: evil,
      },
    );
    expect(message.subject.length).toBeLessThanOrEqual(200);
    expect(message.text.length + message.html.length).toBeLessThan(100_000);
  });
});

function namesOf(mail: string): readonly string[] {
  const [head = ''] = mail.split('\r\n\r\n');
  const names = head
    .split('\r\n')
    .filter((line) => !/^[ \t]/u.test(line))
    .map((line) => line.split(':')[0] ?? '');
  return names.sort();
}

function tagsOf(html: string): readonly string[] {
  return [...new Set([...html.matchAll(/<([!\w][^\s>]*)/gu)].map(([, tag = '']) => tag))].sort();
}
