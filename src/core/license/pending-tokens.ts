import type { EpochMs } from '../clock.ts';

/** More than wait at any site; further ones have no age. */
export const MOST_PENDING = 5000;

/** When each pending token was seen pending first, by its hash. */
export type PendingSince = ReadonlyMap<string, EpochMs>;

/**
 * What is remembered after a look. A token that is not pending any more is forgotten, unless some unit did not tell its
 * tokens: it may be one of that unit's.
 */
export function pendingSince(
  before: PendingSince,
  look: { readonly ids: readonly string[]; readonly isWhole: boolean; readonly at: EpochMs },
): PendingSince {
  const seen = look.ids.slice(0, MOST_PENDING).map((id) => [id, Math.min(before.get(id) ?? look.at, look.at)] as const);
  return new Map([...(look.isWhole ? [] : before), ...seen].slice(-MOST_PENDING));
}
