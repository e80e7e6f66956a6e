import type { Clock, Millis } from '../core/clock.ts';
import type { TestNotification } from '../engine/incident/notification.ts';
import { visibleText } from '../core/visible-text.ts';
import { createAlertmanagerClient } from '../notify/alertmanager.ts';
import type { Alert } from '../notify/alerts.ts';
import { createChannels } from '../notify/channels.ts';
import type { AlertingConfig } from '../notify/engine.ts';
import { noChannelNote } from '../notify/no-channel.ts';
import { randomName } from '../notify/random-name.ts';
import type { SecretReader } from '../notify/secret-reader.ts';

export interface NotifyTestDeps {
  readonly clock: Clock;
  readonly readSecret: SecretReader;
  readonly output: { write(text: string): unknown };
  readonly signal: AbortSignal;
}

/** Exit codes of `ftm-watch notify test`. */
export const NOTIFY_TEST_EXIT: Readonly<Record<'delivered' | 'failed' | 'nothing', number>> = {
  delivered: 0,
  failed: 2,
  nothing: 3,
};

interface Result {
  readonly channel: string;
  readonly recipient: string;
  readonly kind: 'sent' | 'deferred' | 'rejected';
  readonly detail: string;
}

/** Alertmanager ends the test alert by itself. */
const ALERT_LIFE: Millis = 60_000;

/**
 * Sends a test message through every configured channel, once and past the outbox, and prints each result. Gives the
 * exit code.
 */
export async function notifyTest(config: AlertingConfig, deps: NotifyTestDeps): Promise<number> {
  const at = deps.clock.now();
  const notification: TestNotification = { kind: 'test', id: `test-${String(at)}-${randomName()}`, at };
  const results = (
    await Promise.all([testChannels(config, notification, deps), testAlertmanager(config, deps)])
  ).flat();
  for (const result of results) deps.output.write(resultLine(result));
  const note = noChannelNote(config.notify);
  if (note !== null) {
    deps.output.write(`${note}\n`);
    return NOTIFY_TEST_EXIT.nothing;
  }
  return results.every(({ kind }) => kind === 'sent') ? NOTIFY_TEST_EXIT.delivered : NOTIFY_TEST_EXIT.failed;
}

async function testChannels(
  config: AlertingConfig,
  notification: TestNotification,
  deps: NotifyTestDeps,
): Promise<readonly Result[]> {
  const results = await Promise.all(
    createChannels(config, deps).map(async (channel) => {
      const outcomes = await channel.deliver(
        { notification, recipients: channel.recipients, firstFailedAt: null },
        deps.signal,
      );
      return outcomes.map((outcome): Result => ({ channel: channel.id, ...outcome }));
    }),
  );
  return results.flat();
}

async function testAlertmanager(
  { site, notify }: AlertingConfig,
  { clock, signal }: NotifyTestDeps,
): Promise<readonly Result[]> {
  const now = clock.now();
  const alert: Alert = {
    firing: true,
    body: {
      labels: { alertname: 'FtmWatchTest', site, cause: 'test', severity: 'info', subject: 'test' },
      annotations: { summary: 'This is a test of ftm-watch: nothing is broken because of it' },
      startsAt: new Date(now).toISOString(),
      endsAt: new Date(now + ALERT_LIFE).toISOString(),
    },
  };
  const results = await createAlertmanagerClient(notify.alertmanager?.urls ?? [], clock).send([alert], signal);
  return results.map(({ url, kind, detail }): Result => ({ channel: 'alertmanager', recipient: url, kind, detail }));
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
