import type { NotifyConfig } from '../config/config.ts';

type Channels = Pick<NotifyConfig, 'email' | 'alertmanager' | 'webhooks'>;

/** Whether the configuration names anybody whom incidents are told. A heartbeat tells nobody of an incident. */
export function hasChannel({ email, alertmanager, webhooks }: Channels): boolean {
  return email !== null || alertmanager !== null || webhooks.length > 0;
}

/** Said wherever people may rely on being told; null: there is a channel. */
export function noChannelNote(channels: Channels): string | null {
  if (hasChannel(channels)) return null;
  return 'No channel is configured: ftm-watch sends nothing itself, only what scrapes /metrics can alert.';
}
