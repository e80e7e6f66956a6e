import { expect, test } from 'vitest';
import { judgeMailServers } from '../../support/checks/judged-mail.ts';
import type { MailObservation } from '../../../src/core/observation.ts';
import { observeWithMemory } from '../../../src/round/mail.ts';
import { systemClock } from '../../../src/system/clock.ts';
import { lookUnder } from '../../support/checks/look.ts';
import { agreeable, createScriptedSmtp } from '../../support/mail/smtp-script.ts';

const HOUR = 3_600_000;

async function bench(
  port: number,
  codeLife: number | null,
): Promise<{
  readonly look: (hour: number) => Promise<readonly MailObservation[]>;
}> {
  let now = 0;
  const look = await lookUnder(
    `mail: [{ host: 127.0.0.1, port: ${String(port)}, security: none, from: fac@x.test, to: u@x.test }]`,
    { clock: { ...systemClock, now: () => now } },
  );
  return {
    look: (hour) => {
      now = hour * HOUR;
      const wishes = { codeLife: Promise.resolve(codeLife) };
      return Promise.all(look.config.mail.map((server) => observeWithMemory(server, look, wishes)));
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
    judgeMailServers(seen).map(({ suggests }) => suggests);
  expect(subjects(await look(0))).toEqual(['mail-recipient-rejected']);
  expect(subjects(await look(2))).toEqual(['mail-recipient-rejected', ...(isTold ? ['mail-outlasts-code'] : [])]);
  isOpen = true;
  expect(subjects(await look(2.25))).toEqual(isTold ? ['mail-outlasts-code'] : []);
});
