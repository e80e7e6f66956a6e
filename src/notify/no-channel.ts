import { CHANNELS, type ChannelsConfig } from './channels/registry.ts';

/** Whether the configuration names anybody whom incidents are told. A heartbeat tells nobody of an incident. */
export function hasChannel(notify: ChannelsConfig): boolean {
  return CHANNELS.some((channel) => channel.isConfigured(notify));
}

/** Said wherever people may rely on being told; null: there is a channel. */
export function noChannelNote(notify: ChannelsConfig): string | null {
  if (hasChannel(notify)) return null;
  return 'No channel is configured: ftm-watch sends nothing itself, only what scrapes /metrics can alert.';
}
