import type { TestNotification } from '../engine/incident/incident.ts';
import { visibleText } from '../core/visible-text.ts';
import { createChannels, randomName } from '../notify/alerting.ts';
import type { Channel, RecipientOutcome } from '../notify/channels/channel.ts';
import { noChannelNote } from '../config/schema/channels.ts';
import { readSecret } from '../system/secret.ts';
import { configOf, type Invocation } from './terminal.ts';

const EXIT = { delivered: 0, failed: 2, nothing: 3 } as const;

interface Result extends RecipientOutcome {
  readonly channel: string;
}

/** Messages bypass the outbox, so failed messages are not retried. */
export async function notifyTest(terminal: Invocation): Promise<number> {
  const { version, clock, env, output, signal } = terminal;
  const config = await configOf(terminal, (key) => key.startsWith('notify.'));
  const at = clock.now();
  const notification: TestNotification = { kind: 'test', id: `test-${String(at)}-${randomName()}`, at };
  const channels = createChannels(config, {
    version,
    clock,
    env,
    readSecret: (source) => readSecret(source, env),
  });
  const tests = channels.map((channel) => testChannel(channel, notification, signal));
  const results = (await Promise.all(tests)).flat();
  for (const result of results) output.write(resultLine(result));
  const note = noChannelNote(config.notify);
  if (note !== null) {
    output.write(`${note}\n`);
    return EXIT.nothing;
  }
  return results.every(({ kind }) => kind === 'sent') ? EXIT.delivered : EXIT.failed;
}

async function testChannel(
  channel: Channel,
  notification: TestNotification,
  signal: AbortSignal,
): Promise<readonly Result[]> {
  const outcomes =
    channel.kind === 'state'
      ? await channel.test(signal)
      : await channel.deliver({ notification, recipients: channel.recipients, firstFailedAt: null }, signal);
  return outcomes.map((outcome): Result => ({ channel: channel.id, ...outcome }));
}

const WORDS: Readonly<Record<Result['kind'], string>> = {
  sent: 'sent',
  deferred: 'failed for now',
  rejected: 'rejected',
};

function resultLine({ channel, recipient, kind, detail }: Result): string {
  const line = `${channel} ${recipient}: ${WORDS[kind]}${detail === '' ? '' : ` (${detail})`}`;
  return `${visibleText(line, 1_000)}\n`;
}
