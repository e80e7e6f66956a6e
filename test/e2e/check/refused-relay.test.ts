import { expect, it } from 'vitest';
import { judgeMail } from '../../../src/checks/mail/judge.ts';
import { createMailBench } from '../../support/mail/mail-bench.ts';
import { EXIM_PACKAGE, startExim } from '../../support/mail/exim-instance.ts';
import { systemClock } from '../../../src/system/clock.ts';
import { startPostfix } from '../../support/mail/postfix-instance.ts';
import { describeWhere } from '../../support/process/privilege.ts';

/** Returns the findings about the mail rehearsal. */
async function saidOf(port: number, to: string): Promise<readonly string[]> {
  const bench = await createMailBench();
  const seen = await bench.look(port, { config: { to, timeout: 5000 }, ctx: { clock: systemClock } });
  return judgeMail(seen, { fromAppliance: false }).map(
    ({ level, suggests, claim, quote = '' }) =>
      `${level} ${suggests ?? '-'} ${/(\d{3} [^"]*)"$/u.exec(quote)?.[1] ?? claim}`,
  );
}

describeWhere(['root', { program: 'postfix' }, { unpacked: EXIM_PACKAGE }], 'a real relay', () => {
  it('exim refuses other domains, which is no fault of FortiAuthenticator', async () => {
    await using exim = await startExim({ domain: 'elsewhere.test', mailboxes: ['root'] });
    expect(await saidOf(exim.port, 'user@example.test')).toEqual(['warning mail-relay-denied 550 relay not permitted']);
    expect(await saidOf(exim.port, 'gone@elsewhere.test')).toEqual([
      'broken mail-recipient-rejected 550 Unrouteable address',
    ]);
  });

  it.each([
    [undefined, '454 4.7.1'],
    ['permit_mynetworks, reject_unauth_destination', '554 5.7.1'],
  ])('postfix refuses other domains with relay restrictions %s', async (relayRestrictions, code) => {
    const options = { relaysFor: '192.0.2.0/24', ...(relayRestrictions === undefined ? {} : { relayRestrictions }) };
    using postfix = await startPostfix(['user'], options);
    expect(await saidOf(postfix.port, 'user@elsewhere.test')).toEqual([
      `warning mail-relay-denied ${code} <user@elsewhere.test>: Relay access denied`,
    ]);
    expect(await saidOf(postfix.port, 'gone@example.test')).toEqual([
      expect.stringMatching(/^broken mail-recipient-rejected 550 5\.1\.1 .*User unknown/u),
    ]);
  });

  it.each<[string, readonly string[], string]>([
    [
      'the address of the client when it has greeted',
      ['smtpd_client_restrictions = reject'],
      'warning mail-client-refused 554 5.7.1 <localhost[127.0.0.1]>: Client host rejected: Access denied',
    ],
    [
      'the address of the client at once',
      ['smtpd_client_restrictions = reject', 'smtpd_delay_reject = no'],
      'warning mail-client-refused 554 5.7.1 <localhost[127.0.0.1]>: Client host rejected: Access denied',
    ],
    [
      'a client without a PTR record, for the time being',
      ['smtpd_client_restrictions = check_client_access inline:{{ 127.0.0.1 = 450 4.7.25 cannot find your hostname }}'],
      'warning mail-client-refused 450 4.7.25 <localhost[127.0.0.1]>: Client host rejected: cannot find your hostname',
    ],
    [
      'a sender by its access table',
      ['smtpd_sender_restrictions = check_sender_access inline:{{ fac@example.test = REJECT }}'],
      'broken mail-recipient-rejected 554 5.7.1 <fac@example.test>: Sender address rejected: Access denied',
    ],
  ])('postfix refuses %s', async (_, settings, said) => {
    using postfix = await startPostfix(['user'], { settings });
    expect(await saidOf(postfix.port, 'user@example.test')).toEqual([said]);
  });

  it('postscreen lets strangers wait, which is neither broken nor in order', async () => {
    using postfix = await startPostfix(['user'], { relaysFor: '192.0.2.0/24', postscreen: true });
    expect(await saidOf(postfix.port, 'user@example.test')).toEqual([
      expect.stringMatching(/^warning mail-slow The mail server took 6/u),
    ]);
  });
});
