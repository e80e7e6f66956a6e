import type { DayState } from '../store/history-rows.ts';
import type { EpochMs, Millis } from '../core/clock.ts';
import type { ChartData } from '../web/chart-data.ts';

interface Spans {
  readonly held: Millis;
  readonly watched: Millis;
}

const HELD: readonly string[] = ['ok', 'warning'];
const BROKEN: readonly string[] = ['broken', 'blocked'];

/**
 * How much of a day (UTC) activation was possible, as far as it was watched: the share of the precondition that was
 * broken for longest. Days on which nothing was known are left out; `unknown` and `not-configured` count neither way.
 * Oldest first.
 */
export function availabilityByDay(states: readonly DayState[]): ChartData['days'] {
  const days = new Map<EpochMs, Map<string, Spans>>();
  for (const { day, precondition, state, duration } of states) {
    if (!HELD.includes(state) && !BROKEN.includes(state)) continue;
    const spans = days.get(day) ?? new Map<string, Spans>();
    const { held, watched } = spans.get(precondition) ?? { held: 0, watched: 0 };
    spans.set(precondition, { held: held + (HELD.includes(state) ? duration : 0), watched: watched + duration });
    days.set(day, spans);
  }
  return [...days]
    .flatMap(([day, spans]) => {
      const shares = [...spans.values()]
        .filter(({ watched }) => watched > 0)
        .map(({ held, watched }) => held / watched);
      return shares.length === 0 ? [] : [{ day, share: Math.min(...shares) }];
    })
    .toSorted((a, b) => a.day - b.day);
}
