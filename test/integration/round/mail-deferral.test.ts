import { createSecureContext } from 'node:tls';
import { expect, test } from 'vitest';
import { judgeMailServers } from '../../../src/checks/mail/judge.ts';
import type { MailObservation } from '../../../src/core/observation.ts';
import { FileTrust } from '../../../src/network/tls/secure-context.ts';
import { createMailDeferrals } from '../../../src/round/mail.ts';
import { createRecipientLooks } from '../../../src/round/recipient-servers.ts';
import { mail } from '../../../src/round/mail-source.ts';
import { configOf } from '../../support/config-of.ts';
import { probeContext } from '../../support/probe-context.ts';
import { agreeable, createScriptedSmtp } from '../../support/smtp-script.ts';

const HOUR = 3_600_000;

async function bench(
  port: number,
  codeLife: number | null,
): Promise<{
  readonly look: (hour: number) => Promise<readonly MailObservation[]>;
}> {
  const config = await configOf(
    `mail: [{ host: 127.0.0.1, port: ${String(port)}, security: none, from: fac@x.test, to: u@x.test }]`,
  );
  let now = 0;
  const tools = {
    ctx: probeContext(),
    askName: () => Promise.reject(new Error('there is no name to ask for')),
    acceptable: () => [],
    askExchanges: () => Promise.resolve([]),
    exchangePort: 25,
    recipientLooks: createRecipientLooks({ now: () => now }),
    deferrals: createMailDeferrals({ now: () => now }),
    mail: {
      trust: createSecureContext(),
      fileTrust: new FileTrust(),
      readSecret: () => Promise.reject(new Error('no secrets here')),
    },
    mailServers: Promise.resolve(config.mail),
    codeLife: Promise.resolve(codeLife),
    stalledMs: () => 0,
    now: <R>(_: unknown, once: () => Promise<R>) => once(),
    each: <T, R>(hosts: readonly T[], one: (host: T) => Promise<R>) => Promise.all(hosts.map(one)),
  };
  return {
    look: (hour) => {
      now = hour * HOUR;
      return mail.observe(config, tools);
    },
  };
}

test.each<[string, number | null, boolean]>([
  ['longer than a code lives', HOUR, true],
  ['for less than a code lives', 3 * HOUR, false],
  ['and nobody tells how long a code lives', null, false],
])('a server that puts mail off for two hours, %s', async (_, codeLife, isTold) => {
  let isOpen = false;
  await using server = await createScriptedSmtp({
    onLine: (line) => (line.startsWith('RCPT') && !isOpen ? '450 4.2.0 Greylisted\r\n' : agreeable(line)),
  });
  const { look } = await bench(server.port, codeLife);
  const subjects = (seen: readonly MailObservation[]): readonly (string | null)[] =>
    judgeMailServers(seen, { fromAppliance: true }).map(({ suggests }) => suggests);
  expect(subjects(await look(0))).toEqual(['mail-recipient-rejected']);
  expect(subjects(await look(2))).toEqual(['mail-recipient-rejected', ...(isTold ? ['mail-outlasts-code'] : [])]);
  isOpen = true;
  expect(subjects(await look(2.25))).toEqual(isTold ? ['mail-outlasts-code'] : []);
});
