import type * as z from 'zod';
import { alertmanager } from './alertmanager.ts';
import { email } from './email.ts';
import { mattermost } from './mattermost.ts';
import { ntfy } from './ntfy.ts';
import { pagerduty } from './pagerduty.ts';
import { slack } from './slack.ts';
import { syslog } from './syslog.ts';
import { teams } from './teams.ts';
import { webhook } from './webhook.ts';

/** All other lists of channels are derived from this one. */
export const CHANNELS = [email, slack, mattermost, teams, pagerduty, ntfy, webhook, syslog, alertmanager] as const;

type Listed = (typeof CHANNELS)[number];

export type ChannelId = Listed['id'];

export const CHANNEL_IDS: readonly ChannelId[] = CHANNELS.map(({ id }) => id);

/** Names for sentences. */
export const PROXIED_CHANNELS: readonly string[] = CHANNELS.filter(({ isProxied }) => isProxied).map(
  ({ name }) => name,
);

type ChannelSections = { readonly [Channel in Listed as Channel['key']]: Channel['section'] };

type ChannelsConfig = { readonly [Key in keyof ChannelSections]: z.output<ChannelSections[Key]> };

export function byChannel<T>(valueOf: (id: ChannelId) => T): Readonly<Record<ChannelId, T>>;
export function byChannel<T>(valueOf: (id: ChannelId) => T): Readonly<Record<string, T>> {
  return Object.fromEntries(CHANNEL_IDS.map((id) => [id, valueOf(id)]));
}

/** The overload declares the type of each key, which TypeScript cannot infer from the loop. */
export function channelSections(): ChannelSections;
export function channelSections(): Readonly<Record<string, z.ZodType>> {
  return Object.fromEntries(CHANNELS.map(({ key, section }) => [key, section]));
}

/** The strictest mask, which shows only URLs, applies to unknown channels. */
export function channelWords(id: string): Pick<Listed, 'name' | 'recipients'> {
  return CHANNELS.find((channel) => channel.id === id) ?? { name: id, recipients: 'url' };
}

export function hasChannel(notify: ChannelsConfig): boolean {
  return CHANNELS.some(({ key }) => {
    const section = notify[key];
    return Array.isArray(section) ? section.length > 0 : section !== null;
  });
}

/** Shown wherever people might assume that notifications are sent. Null if a channel is configured. */
export function noChannelNote(notify: ChannelsConfig): string | null {
  if (hasChannel(notify)) return null;
  return (
    'No channel is configured, so ftm-watch does not send notifications. Only systems that scrape /metrics can ' +
    'raise alerts.'
  );
}
