import type { Clock, EpochMs, Millis } from '../../core/clock.ts';
import type { CloserLook } from '../../core/closer-look.ts';

/**
 * What was found out about blocks of TLS, kept for a while: a block is looked into when it is new and then now and
 * then, since many connections in each round would look like a scan.
 */
export interface CloserLooks {
  /** Null: it is time to look. */
  recent(block: string): CloserLook | null;
  keep(block: string, look: CloserLook): CloserLook;
}

const KEPT: Millis = 300_000;

export function createCloserLooks({ now }: Pick<Clock, 'now'>): CloserLooks {
  const kept = new Map<string, { readonly at: EpochMs; readonly look: CloserLook }>();

  function isRecent({ at }: { readonly at: EpochMs }): boolean {
    // A clock that was set back must not keep an old look for as long.
    return at <= now() && now() - at < KEPT;
  }

  return {
    recent: (block) => {
      const found = kept.get(block);
      return found !== undefined && isRecent(found) ? found.look : null;
    },
    keep: (block, look) => {
      for (const [old, seen] of kept) if (!isRecent(seen)) kept.delete(old);
      kept.set(block, { at: now(), look });
      return look;
    },
  };
}
