import { afterEach, beforeEach, expect, it } from 'vitest';
import { systemClock } from '../../../src/system/clock.ts';
import type { Config } from '../../../src/config/config.ts';
import type { RecipientOutcome } from '../../../src/notify/channels/channel.ts';
import { mailChannel } from '../../support/notify/channel-bench.ts';
import { causeOf } from '../../support/checks/diagnosis-of.ts';
import { EXIM_PACKAGE, startExim, type EximInstance } from '../../support/mail/exim-instance.ts';
import { incidentOf, incidentNotificationOf } from '../../support/notify/outbox-entry-of.ts';
import { startPostfix, type PostfixInstance } from '../../support/mail/postfix-instance.ts';
import { describeWhere } from '../../support/process/privilege.ts';
import { AT_HQ } from '../../support/checks/message-context.ts';

type MailRelay = NonNullable<Config['notify']['email']>['servers'][number];

const ADMINS = 'admins@example.test';
const PATIENCE = { timeout: 20_000, interval: 50 };
/** The wording of qmail and postfix, and a block list reply whose text contains what looks like a code. */
const REFUSALS = [
  "553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)",
  '550 5.1.8 <ftm-watch@example.test>: Sender address rejected: Domain not found',
  '554 5.7.1 Service unavailable; Client host [5.1.1.23] blocked',
];

function relay({ port }: { readonly port: number }): MailRelay {
  return { host: '127.0.0.1', port, security: 'none', user: null, password: null, caFile: null };
}

async function send(
  servers: readonly MailRelay[],
  recipients: readonly string[],
): Promise<readonly RecipientOutcome[]> {
  const config = { from: 'ftm-watch@example.test', to: recipients, minSeverity: 'warning', servers } as const;
  const readSecret = (): Promise<string> => Promise.reject(new Error('no secrets here'));
  const channel = mailChannel(config, { ...AT_HQ, clock: systemClock, readSecret });
  const notification = incidentNotificationOf(incidentOf(causeOf('tls-intercepted')));
  return channel.deliver({ notification, recipients, firstFailedAt: null }, new AbortController().signal);
}

describeWhere(
  ['root', { program: 'postfix' }, { unpacked: EXIM_PACKAGE }],
  'a real exim that refuses, before a real postfix',
  () => {
    let postfix: PostfixInstance;

    beforeEach(async () => {
      postfix = await startPostfix(['admins']);
    });

    afterEach(() => {
      postfix[Symbol.dispose]();
    });

    async function throughBoth(exim: EximInstance): Promise<void> {
      expect(await send([relay(exim), relay(postfix)], [ADMINS])).toMatchObject([{ recipient: ADMINS, kind: 'sent' }]);
      await expect.poll(() => postfix.mails('admins').length, PATIENCE).toBe(1);
    }

    it('does not keep the mail from the next server when it does not relay', async () => {
      await using exim = await startExim({ domain: 'elsewhere.test', mailboxes: ['root'] });
      const [refused] = await send([relay(exim)], [ADMINS]);
      expect(refused).toMatchObject({ kind: 'rejected', detail: expect.stringMatching(/550 relay not permitted$/u) });
      await throughBoth(exim);
    });

    it('does not keep the mail from the next server when it knows no such mailbox', async () => {
      await using exim = await startExim({ domain: 'example.test', mailboxes: ['root'] });
      const [refused] = await send([relay(exim)], [ADMINS]);
      expect(refused).toMatchObject({ kind: 'rejected', detail: expect.stringMatching(/550 Unrouteable address$/u) });
      await throughBoth(exim);
    });

    it.each(REFUSALS)('does not keep the mail from the next server when it says "%s"', async (refusal) => {
      await using exim = await startExim({ domain: 'example.test', mailboxes: ['admins'], refusal });
      const [refused] = await send([relay(exim)], [ADMINS]);
      expect(refused?.kind).toBe('rejected');
      // exim breaks the line after a colon and repeats the code.
      expect(refused?.detail.replaceAll(/ 550 5\.1\.8(?= Domain)/gu, '').replace('550-', '550 ')).toContain(refusal);
      await throughBoth(exim);
    });

    it('takes the mail that postfix refuses, and a recipient unknown to both is given up', async () => {
      await using exim = await startExim({ domain: 'example.test', mailboxes: ['oncall'] });
      const outcomes = await send([relay(postfix), relay(exim)], ['oncall@example.test', 'gone@example.test']);
      expect(outcomes.map(({ recipient, kind }) => `${recipient} ${kind}`)).toEqual([
        'oncall@example.test sent',
        'gone@example.test rejected',
      ]);
      expect(outcomes[1]?.detail).toMatch(/User unknown.*; .*Unrouteable address/u);
      await expect.poll(() => exim.mails('oncall').length, PATIENCE).toBe(1);
    });
  },
);
