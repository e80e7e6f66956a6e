import type { Clock } from '../core/clock.ts';
import type { TestNotification } from '../engine/incident/notification.ts';
import { visibleText } from '../core/visible-text.ts';
import type { AlertingConfig } from '../notify/alerting.ts';
import type { Channel, RecipientOutcome } from '../notify/channels/channel.ts';
import { CHANNELS } from '../notify/channels/registry.ts';
import { noChannelNote } from '../notify/no-channel.ts';
import { randomName } from '../notify/random-name.ts';
import type { SecretReader } from '../notify/secret-reader.ts';

export interface NotifyTestDeps {
  readonly clock: Clock;
  readonly readSecret: SecretReader;
  readonly output: { write(text: string): unknown };
  readonly signal: AbortSignal;
}

/** Exit codes of `ftm-watch notify test`. @internal */
export const NOTIFY_TEST_EXIT: Readonly<Record<'delivered' | 'failed' | 'nothing', number>> = {
  delivered: 0,
  failed: 2,
  nothing: 3,
};

interface Result extends RecipientOutcome {
  readonly channel: string;
}

/**
 * Sends a test message through every configured channel, once and past the outbox, and prints each result. Gives the
 * exit code.
 */
export async function notifyTest(config: AlertingConfig, deps: NotifyTestDeps): Promise<number> {
  const at = deps.clock.now();
  const notification: TestNotification = { kind: 'test', id: `test-${String(at)}-${randomName()}`, at };
  const channels = CHANNELS.flatMap((channel) => channel.create(config.notify, { ...deps, site: config.site }));
  const results = (
    await Promise.all(channels.map((channel) => testChannel(channel, notification, deps.signal)))
  ).flat();
  for (const result of results) deps.output.write(resultLine(result));
  const note = noChannelNote(config.notify);
  if (note !== null) {
    deps.output.write(`${note}\n`);
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
  rejected: 'refused',
};

function resultLine({ channel, recipient, kind, detail }: Result): string {
  const line = `${channel} ${recipient}: ${WORDS[kind]}${detail === '' ? '' : ` (${detail})`}`;
  return `${visibleText(line, 1_000)}\n`;
}
