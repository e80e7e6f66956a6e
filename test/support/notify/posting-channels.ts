import { CHANNELS, type ChannelId } from '../../../src/config/schema/channels.ts';

/** Every channel that posts each message to a web service. */
export const POSTING_CHANNELS: readonly ChannelId[] = CHANNELS.filter(({ isProxied }) => isProxied).map(({ id }) => id);

/** What an entry needs in addition to `name` and `url`. The secret is read from the variable SET_SECRET. */
const MORE: Partial<Record<ChannelId, object>> = { pagerduty: { routingKeyEnv: 'SET_SECRET' } };

/** Returns a section of `notify` with one entry, named "ops". The URL must be acceptable as an ntfy topic. */
export function postingSection(id: ChannelId, url: string, more: object = {}): Readonly<Record<string, object>> {
  const key = CHANNELS.find((channel) => channel.id === id)?.key ?? id;
  return { [key]: [{ name: 'ops', url, ...MORE[id], ...more }] };
}

/** Returns the sections for all channels that post. `urlOf` must return URLs as for `postingSection`. */
export function postingSections(urlOf: (id: ChannelId) => string): Readonly<Record<string, object>> {
  return Object.assign({}, ...POSTING_CHANNELS.map((id) => postingSection(id, urlOf(id))));
}
