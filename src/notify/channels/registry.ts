import type * as z from 'zod';
import { alertmanager } from './alertmanager.ts';
import { email } from './email.ts';
import { ntfy } from './ntfy.ts';
import { pagerduty } from './pagerduty.ts';
import { slack } from './slack.ts';
import { syslog } from './syslog.ts';
import { teams } from './teams.ts';
import { webhook } from './webhook.ts';

/** All channels. Add new ones here. Everything else about channels is derived from this list. */
export const CHANNELS = [email, slack, teams, pagerduty, ntfy, webhook, syslog, alertmanager] as const;

type Listed = (typeof CHANNELS)[number];

export type ChannelId = Listed['id'];

/** IDs of all channels, as used by deliveries and metrics. */
export const CHANNEL_IDS: readonly ChannelId[] = CHANNELS.map(({ id }) => id);

type ChannelSections = { readonly [Channel in Listed as Channel['key']]: Channel['section'] };

/** The sections of all channels under `notify`. */
type ChannelsConfig = { readonly [Key in keyof ChannelSections]: z.output<ChannelSections[Key]> };

/** Returns a value for each channel, by ID. */
export function byChannel<T>(valueOf: (id: ChannelId) => T): Readonly<Record<ChannelId, T>>;
export function byChannel<T>(valueOf: (id: ChannelId) => T): Readonly<Record<string, T>> {
  return Object.fromEntries(CHANNEL_IDS.map((id) => [id, valueOf(id)]));
}

/**
 * Returns the schemas of the channels, by key. The overload declares the type of each key, which a loop cannot express.
 */
export function channelSections(): ChannelSections;
export function channelSections(): Readonly<Record<string, z.ZodType>> {
  return Object.fromEntries(CHANNELS.map(({ key, section }) => [key, section]));
}

/**
 * Returns the display name of a channel and how its recipients are masked. Unknown channels get the stricter mask,
 * which shows only URLs.
 */
export function channelWords(id: string): Pick<Listed, 'name' | 'recipients'> {
  return CHANNELS.find((channel) => channel.id === id) ?? { name: id, recipients: 'url' };
}

/** Reports whether any channel for incidents is configured. A heartbeat does not count. */
export function hasChannel(notify: ChannelsConfig): boolean {
  return CHANNELS.some((channel) => channel.isConfigured(notify));
}

/** Returns the note shown wherever people may rely on notifications; null if there is a channel. */
export function noChannelNote(notify: ChannelsConfig): string | null {
  if (hasChannel(notify)) return null;
  return 'No channel is configured. ftm-watch sends no notifications. Only systems that scrape /metrics can alert.';
}
