import type { Clock, EpochMs, Millis } from '../../core/clock.ts';
import type { RecipientServerObservation } from '../../core/observation.ts';

/** They are servers of others. */
const HOUR: Millis = 3_600_000;

/** What the mail servers of the recipients said last. */
export interface RecipientLooks {
  /** Whether to look again; counts as looked. */
  isDue(): boolean;
  /** It stands until the next look. */
  last(): readonly RecipientServerObservation[];
  keep(seen: readonly RecipientServerObservation[]): void;
}

export function createRecipientLooks({ now }: Pick<Clock, 'now'>): RecipientLooks {
  let lookedAt: EpochMs | null = null;
  let last: readonly RecipientServerObservation[] = [];
  return {
    isDue: () => {
      const isDue = lookedAt === null || now() - lookedAt >= HOUR;
      if (isDue) lookedAt = now();
      return isDue;
    },
    last: () => last,
    keep: (seen) => {
      last = seen;
    },
  };
}
