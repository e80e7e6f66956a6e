/** Somebody who has begun a line. */
export interface LineHolder {
  readonly isKnown: boolean;
  /** Takes what there is as the line, and closes the connection: holds nothing any more when it returns. */
  cut(): void;
}

/** Shares out the memory for lines that have begun and not ended, among all that are sent by connection. */
export interface LineBudget {
  /** `holder` now takes so many bytes. */
  hold(holder: LineHolder, bytes: number): void;
}

/** A thousand lines of the greatest length: nobody honest comes near it. */
const MOST: number = 64 * 1024 * 1024;

/** Bytes of each, who began first stands first. */
type Group = Map<LineHolder, number>;

/**
 * Beyond the budget strangers are cut first, then those whose line is the oldest: an honest line ends in the moment in
 * which it began.
 */
export function createLineBudget(most: number = MOST): LineBudget {
  const strangers: Group = new Map();
  const known: Group = new Map();
  let total = 0;

  return {
    hold: (holder, bytes) => {
      const group = holder.isKnown ? known : strangers;
      total += bytes - (group.get(holder) ?? 0);
      if (bytes === 0) group.delete(holder);
      else group.set(holder, bytes);
      while (total > most) {
        const oldest = strangers.keys().next().value ?? known.keys().next().value;
        if (oldest === undefined) return;
        oldest.cut();
      }
    },
  };
}
