import fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import { LOGIN, createMailBench } from '../../support/mail/mail-bench.ts';
import type { MailBench } from '../../support/mail/mail-bench.ts';
import { CLOSE, createScriptedSmtp } from '../../support/mail/smtp-script.ts';
import { samples } from '../../support/random/samples.ts';

let bench: MailBench;

beforeAll(async () => {
  bench = await createMailBench();
});

test('survives whatever a server says', async () => {
  const word = fc.oneof(
    fc.constantFrom('220 ', '250-', '250 ', '334 ', '421 ', '\r\n', '\n', '\0', '-', '250 STARTTLS\r\n'),
    fc.string({ maxLength: 20 }),
  );
  const reply = fc.array(word, { maxLength: 6 }).map((words) => `${words.join('')}\r\n`);
  await fc.assert(
    fc.asyncProperty(fc.option(reply), fc.array(reply, { minLength: 1, maxLength: 8 }), async (greeting, replies) => {
      let turn = 0;
      await using server = await createScriptedSmtp({
        ...(greeting === null ? {} : { greeting }),
        // It finally closes the connection, so that no run waits for the deadline.
        onLine: () => (turn < replies.length ? (replies[turn++] ?? CLOSE) : CLOSE),
      });
      const limit = AbortSignal.timeout(100);
      const { outcome } = await bench.look(server.port, { config: LOGIN, ctx: { signal: limit } });
      expect(['accepted', 'failed']).toContain(outcome.kind);
      expect(server.lines).not.toContain('DATA');
    }),
    { numRuns: samples(10) },
  );
});
