import fc from 'fast-check';
import { anyText } from '../../../../support/security/any-text.ts';
import { createTransport } from 'nodemailer';
import { describe, expect, it } from 'vitest';
import { sentenceStep, type Cause } from '../../../../../src/engine/model.ts';
import { composeMessage } from '../../../../../src/notify/channels/email.ts';
import { causeOf } from '../../../../support/checks/diagnosis-of.ts';
import { AT_HQ } from '../../../../support/checks/message-context.ts';
import { timeline } from '../../../../support/store/incident-timeline.ts';
import { samples } from '../../../../support/random/samples.ts';

const CONTEXT = { ...AT_HQ, from: 'ftm-watch@example.org', delayed: null };
function composed(
  cause: Cause,
  more: Partial<Parameters<typeof composeMessage>[1]> = {},
): ReturnType<typeof composeMessage> {
  const [notification] = timeline().rounds(2, [cause]).told;
  if (notification === undefined) throw new Error('Nothing was told');
  return composeMessage(notification, { ...CONTEXT, ...more });
}

const TAGS = '!doctype a body div h2 head html li meta ol p pre table td th title tr ul'.split(' ');

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
    anyText(200),
  );

  async function wire(message: ReturnType<typeof composeMessage>): Promise<string> {
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
    const expected = namesOf(await wire(composed(causeOf('tls-intercepted'))));
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
        const message = composed(cause, {
          site: first,
          from: `x@${second}`,
          publicUrl: 'https://ftm.example.org',
        });
        expect(namesOf(await wire(message))).toEqual(expected);
        expect(message.subject).not.toMatch(/[\r\n]/u);
        expect(tagsOf(message.html)).toEqual(TAGS);
      }),
      { numRuns: samples(40) },
    );
  });

  it('stays small whatever is quoted', () => {
    const evil = '<\r\n&'.repeat(3_000_000);
    const message = composed(causeOf('tls-intercepted', { summary: evil, evidence: [evil, evil], product: evil }), {
      site: evil,
    });
    expect(message.subject.length).toBeLessThanOrEqual(60);
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
