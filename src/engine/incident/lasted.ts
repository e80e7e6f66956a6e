import type { Millis } from '../../core/clock.ts';
import { preciseSpanText } from '../../core/duration.ts';
import type { Occurrence } from './incident.ts';

/**
 * How long a fault was there, in words: `about 51 s`. Checks see it only now and then, so that this is the mean of the
 * shortest time that fits what they saw and the longest one. Where nothing is known of the time before or after it,
 * only the shortest one is: `at least 3 s`.
 */
export function lastedText({ since, lastSeen, clear: { before, after } }: Occurrence): string {
  const shortest = Math.max(0, lastSeen - since);
  if (before !== null && after !== null) return `about ${secondsText((shortest + Math.max(0, after - before)) / 2)}`;
  return shortest < 1_000 ? 'an unknown time' : `at least ${secondsText(shortest)}`;
}

function secondsText(span: Millis): string {
  return preciseSpanText(Math.max(1_000, span));
}
