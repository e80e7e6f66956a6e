import { z } from 'zod';
import type { EpochMs, Millis } from '../../core/clock.ts';
import type { BackgroundFile } from '../../system/json-file.ts';
import type { JudgedRound } from '../../checks/judged-round.ts';

/** When each target was last seen with a genuine chain at all of its addresses, and under whose key. */
export interface GenuineMemory {
  of(target: string): GenuineSight | null;
  /** Keeps what a round verified. */
  note(tls: JudgedRound['tls'], at: EpochMs): void;
}

export interface GenuineSight {
  /** Pin of the configured key that the chain ended at. */
  readonly pin: string;
  readonly at: EpochMs;
}

const MOST_TARGETS = 2_000;

/** What is only newer is written once in this time: a file a round would cost more than it is worth. */
const SAVE_GAP: Millis = 300_000;

const content = z.object({
  version: z.literal(1),
  targets: z.record(z.string().max(300), z.object({ pin: z.string().max(100), at: z.number().int() })),
});

/** @param file null: nothing is remembered beyond this process */
export async function loadGenuineMemory(file: BackgroundFile | null, now: EpochMs): Promise<GenuineMemory> {
  const stored = content.safeParse(await file?.load());
  // What lies in the future was kept by a clock that was wrong.
  const sights = new Map(Object.entries(stored.data?.targets ?? {}).filter(([, { at }]) => at <= now));
  let savedAt: EpochMs | null = null;

  /** A clock that was set back must not keep it for as long. */
  function isRecent(at: EpochMs): boolean {
    return savedAt !== null && savedAt <= at && at - savedAt < SAVE_GAP;
  }

  return {
    of: (target) => sights.get(target) ?? null,
    note: (tls, at) => {
      const verified = tls.flatMap(({ path, judged }): readonly (readonly [string, GenuineSight])[] => {
        const pin = judged.worst?.verifiedBy ?? null;
        return pin === null ? [] : [[path.subject, { pin, at }]];
      });
      if (verified.length === 0) return;
      const isNew = verified.some(([target, { pin }]) => sights.get(target)?.pin !== pin);
      for (const [target, sight] of verified) sights.set(target, sight);
      if (!isNew && isRecent(at)) return;
      savedAt = at;
      file?.save({ version: 1, targets: Object.fromEntries([...sights].slice(-MOST_TARGETS)) });
    },
  };
}
