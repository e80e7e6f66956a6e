import { z } from 'zod';
import type { LicensedTokens } from '../../core/license/appliance.ts';
import { lenientCount } from '../../network/rest/lenient-number.ts';

const LICENSED_TOKENS = z.object({
  total_ftm: z.unknown(),
  used_ftm: z.unknown().optional(),
  available_ftm: z.unknown().optional(),
});

/** Reads `{"available_ftm": 30, "total_ftm": 32, "used_ftm": 2}`; null when the total is not there. */
export function parseLicensedTokens(value: unknown): LicensedTokens | null {
  const parsed = LICENSED_TOKENS.safeParse(value);
  const total = parsed.success ? lenientCount(parsed.data.total_ftm) : null;
  if (!parsed.success || total === null) return null;
  return { total, used: lenientCount(parsed.data.used_ftm), available: lenientCount(parsed.data.available_ftm) };
}
