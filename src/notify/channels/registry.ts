import type * as z from 'zod';
import { alertmanager } from './alertmanager.ts';
import { email } from './email.ts';
import { ntfy } from './ntfy.ts';
import { pagerduty } from './pagerduty.ts';
import { slack } from './slack.ts';
import { syslog } from './syslog.ts';
import { teams } from './teams.ts';
import { webhook } from './webhook.ts';

/** Every channel there is: add one here. All else about channels is derived from this list. */
export const CHANNELS = [email, slack, teams, pagerduty, ntfy, webhook, syslog, alertmanager] as const;

type Listed = (typeof CHANNELS)[number];

export type ChannelId = Listed['id'];

/** As deliveries and metrics name them. */
export const CHANNEL_IDS: readonly ChannelId[] = CHANNELS.map(({ id }) => id);

type ChannelSections = { readonly [Channel in Listed as Channel['key']]: Channel['section'] };

/** What `notify` holds for the channels. */
export type ChannelsConfig = { readonly [Key in keyof ChannelSections]: z.output<ChannelSections[Key]> };

/** A value for each channel, by its id. */
export function byChannel<T>(valueOf: (id: ChannelId) => T): Readonly<Record<ChannelId, T>>;
export function byChannel<T>(valueOf: (id: ChannelId) => T): Readonly<Record<string, T>> {
  return Object.fromEntries(CHANNEL_IDS.map((id) => [id, valueOf(id)]));
}

/** The sections of the channels, by their keys. The overload says what a loop cannot: which key has which type. */
export function channelSections(): ChannelSections;
export function channelSections(): Readonly<Record<string, z.ZodType>> {
  return Object.fromEntries(CHANNELS.map(({ key, section }) => [key, section]));
}

/**
 * How people are told of the channel of a delivery. One that is not in the list takes the stricter mask: what is no URL
 * is not shown.
 */
export function channelWords(id: string): Pick<Listed, 'name' | 'recipients'> {
  return CHANNELS.find((channel) => channel.id === id) ?? { name: id, recipients: 'url' };
}

/** Whether the configuration names anybody whom incidents are told. A heartbeat tells nobody of an incident. */
export function hasChannel(notify: ChannelsConfig): boolean {
  return CHANNELS.some((channel) => channel.isConfigured(notify));
}

/** Said wherever people may rely on being told; null: there is a channel. */
export function noChannelNote(notify: ChannelsConfig): string | null {
  if (hasChannel(notify)) return null;
  return 'No channel is configured: ftm-watch sends nothing itself, only what scrapes /metrics can alert.';
}
