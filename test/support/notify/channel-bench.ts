import type { Clock } from '../../../src/core/clock.ts';
import type { Notification } from '../../../src/engine/incident/incident.ts';
import type { Config } from '../../../src/config/config.ts';
import type { Channel, ChannelDeps, MessageChannel, RecipientOutcome } from '../../../src/notify/channels/channel.ts';
import { createEmail } from '../../../src/notify/channels/email.ts';
import { createWebhooks } from '../../../src/notify/channels/webhook.ts';
import { configuredChannels } from '../../../src/notify/channels/registry.ts';
import { systemClock } from '../../../src/system/clock.ts';
import { readSecret } from '../../../src/system/secret.ts';
import { configOf } from '../config/config-of.ts';
import { AT_HQ } from '../checks/message-context.ts';

/** A site whose page can be opened on a phone. */
export const AT_PUBLIC_HQ: typeof AT_HQ = { ...AT_HQ, publicUrl: 'https://monitor.example.org' };

/** Returns the message channels for these sections of `notify`. Secrets are read from `env`. */
export async function channelsOf(
  sections: object,
  {
    env = {},
    clock = systemClock,
    context = AT_PUBLIC_HQ,
  }: {
    readonly env?: Readonly<Record<string, string>>;
    readonly clock?: Clock;
    readonly context?: typeof AT_HQ;
  } = {},
): Promise<readonly MessageChannel[]> {
  const { notify } = await configOf({ notify: sections });
  const deps = {
    ...context,
    env,
    proxy: notify.proxy,
    clock,
    readSecret: (source: Parameters<typeof readSecret>[0]) => readSecret(source, env),
  };
  return configuredChannels(notify, deps).filter((channel) => channel.kind === 'messages');
}

/** Returns the only message channel for these sections. */
export async function channelOf(...args: Parameters<typeof channelsOf>): Promise<MessageChannel> {
  return onlyChannel(await channelsOf(...args));
}

export function mailChannel(config: NonNullable<Config['notify']['email']>, deps: ChannelDeps): MessageChannel {
  return onlyChannel(createEmail({ email: config }, deps));
}

export function webhookChannel(config: Config['notify']['webhooks'][number], deps: ChannelDeps): MessageChannel {
  return onlyChannel(createWebhooks({ webhooks: [config] }, deps));
}

function onlyChannel([channel, ...others]: readonly Channel[]): MessageChannel {
  if (channel?.kind !== 'messages' || others.length > 0) throw new Error('Expected one channel for messages');
  return channel;
}

/** Delivers a notification to every recipient of a channel, once. */
export function deliverTo(
  channel: MessageChannel,
  notification: Notification,
  signal: AbortSignal = AbortSignal.timeout(60_000),
): Promise<readonly RecipientOutcome[]> {
  return channel.deliver({ notification, recipients: channel.recipients, firstFailedAt: null }, signal);
}
