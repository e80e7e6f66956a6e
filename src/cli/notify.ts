import type { TestNotification } from '../engine/incident/incident.ts';
import { visibleText } from '../core/visible-text.ts';
import type { Config } from '../config/config.ts';
import { messageContext, randomName } from '../notify/alerting.ts';
import type { Channel, RecipientOutcome, ChannelDeps } from '../notify/channels/channel.ts';
import { CHANNELS, noChannelNote } from '../notify/channels/registry.ts';
import { readSecret } from '../system/secret.ts';
import { EXIT_UNKNOWN } from './exit-codes.ts';
import { loadOrExplain, type Invocation, type Terminal } from './terminal.ts';

const NOTIFY_TEST_EXIT: Readonly<Record<'delivered' | 'failed' | 'nothing', number>> = {
  delivered: 0,
  failed: 2,
  nothing: 3,
};

interface Result extends RecipientOutcome {
  readonly channel: string;
}

export async function runNotifyTest(terminal: Invocation): Promise<number> {
  const config = await loadOrExplain(terminal, (key) => key.startsWith('notify.'));
  return config === null ? EXIT_UNKNOWN : notifyTest(config, terminal);
}

/** Messages bypass the outbox, so failed messages are not retried. */
export async function notifyTest(
  config: Config,
  { clock, env, output, signal }: Pick<Terminal, 'clock' | 'env' | 'output' | 'signal'>,
): Promise<number> {
  const at = clock.now();
  const notification: TestNotification = { kind: 'test', id: `test-${String(at)}-${randomName()}`, at };
  const deps: ChannelDeps = {
    ...messageContext(config),
    clock,
    env,
    proxy: config.notify.proxy,
    readSecret: (source) => readSecret(source, env),
  };
  const channels = CHANNELS.flatMap((channel) => channel.create(config.notify, deps));
  const tests = channels.map((channel) => testChannel(channel, notification, signal));
  const results = (await Promise.all(tests)).flat();
  for (const result of results) output.write(resultLine(result));
  const note = noChannelNote(config.notify);
  if (note !== null) {
    output.write(`${note}\n`);
    return NOTIFY_TEST_EXIT.nothing;
  }
  return results.every(({ kind }) => kind === 'sent') ? NOTIFY_TEST_EXIT.delivered : NOTIFY_TEST_EXIT.failed;
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
