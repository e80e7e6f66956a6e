import type { Clock, Millis } from '../../core/clock.ts';

/** One file that is written again and again: soon or at leisure, and never twice at once. */
export interface PlannedSave {
  /** Writes within this time, together with what is planned already. */
  within(delay: Millis): void;
  /** Writes now what is still planned, and resolves when all is written. */
  finish(): Promise<void>;
}

/** @param pause after each save the next one comes within this time */
export function createPlannedSave(clock: Clock, write: () => Promise<void>, pause: Millis): PlannedSave {
  let planned: { readonly at: Millis; readonly cancel: () => void } | null = null;
  let saving: Promise<void> = Promise.resolve();

  function within(delay: Millis): void {
    const at = clock.elapsed() + delay;
    if (planned !== null && planned.at <= at) return;
    planned?.cancel();
    planned = { at, cancel: clock.after(delay, saveAndGoOn) };
  }

  function saveAndGoOn(): void {
    planned = null;
    // One after the other: two at once would write into the same file.
    saving = saving.then(write);
    within(pause);
  }

  return {
    within,
    finish: async () => {
      planned?.cancel();
      if (planned !== null) saving = saving.then(write);
      planned = null;
      await saving;
    },
  };
}
