import { createHmac } from 'node:crypto';
import type { EpochMs } from '../../../core/clock.ts';

/**
 * The headers of Standard Webhooks 1.0.0, symmetric
 * (https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md): by them a receiver knows
 * who wrote the body, and when, and which notification it is. A secret that begins with "whsec_" is base64.
 */
export function signatureHeaders(
  { id, body, at }: { readonly id: string; readonly body: string; readonly at: EpochMs },
  secret: string,
): Readonly<Record<'webhook-id' | 'webhook-timestamp' | 'webhook-signature', string>> {
  const timestamp = String(Math.floor(at / 1_000));
  const key = secret.startsWith('whsec_') ? Buffer.from(secret.slice('whsec_'.length), 'base64') : secret;
  const signature = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64');
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': `v1,${signature}` };
}
