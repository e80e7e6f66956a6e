import { z } from 'zod';
import type { SmsQuota } from '../../core/license/appliance.ts';
import { lenientCount } from '../../network/rest/lenient-number.ts';

const QUOTA = z.object({ available_sms: z.unknown(), total_sms: z.unknown() });

/** Reads `{"available_sms": 90, "total_sms": 100, "used_sms": 10}`; null when the counts are not there. */
export function parseSmsQuota(value: unknown): SmsQuota | null {
  const parsed = QUOTA.safeParse(value);
  if (!parsed.success) return null;
  const [total, available] = [lenientCount(parsed.data.total_sms), lenientCount(parsed.data.available_sms)];
  return total === null || available === null ? null : { total, available };
}
