import type { EpochMs, Millis } from '../../core/clock.ts';

/** Further connections to the licence server, made at once to learn how many fail. */
export interface Burst {
  readonly at: EpochMs;
  /** No connection had failed here: FortiAuthenticator had complained of its own. */
  readonly isAsked: boolean;
  /** All of its connections failed: it reached no server that it could load. */
  readonly isOutage: boolean;
}

/** What a further burst may be for. */
export interface BurstRoom {
  /** A failure that is new, or too many for single ones. */
  readonly new: boolean;
  /** What was measured before, once more. */
  readonly again: boolean;
  /** A complaint of FortiAuthenticator alone. */
  readonly asked: boolean;
}

/**
 * No more than this, so that a fault never becomes a load on the licence server. What is open takes one at once:
 * with one in five minutes the next fault would have to wait for it. Where all of its connections fail, a burst is no
 * load, and the next outage must not wait for certainty. @internal
 */
export const BURSTS = { most: 2, mostOfOutages: 6, within: 600_000, gap: 300_000 };

/** FortiAuthenticator may complain without end of what nobody sees from here. @internal */
export const ASKED_BURSTS = { most: 3, within: 3_600_000 };

export function burstRoom(bursts: readonly Burst[], at: EpochMs): BurstRoom {
  const within = (time: Millis): readonly Burst[] => bursts.filter((burst) => isRecent(burst.at, at, time));
  const recent = within(BURSTS.within);
  const isLeft =
    recent.length < BURSTS.mostOfOutages && recent.filter(({ isOutage }) => !isOutage).length < BURSTS.most;
  const again = isLeft && within(BURSTS.gap).length === 0;
  const asked = within(ASKED_BURSTS.within).filter(({ isAsked }) => isAsked);
  return { new: isLeft, again, asked: again && asked.length < ASKED_BURSTS.most };
}

/** Those that still count. */
export function rememberedBursts(bursts: readonly Burst[], at: EpochMs): readonly Burst[] {
  return bursts.filter((burst) => isRecent(burst.at, at, ASKED_BURSTS.within));
}

/** A wall clock that was set back must not make a time seem recent for as long. */
export function isRecent(then: EpochMs, now: EpochMs, within: Millis): boolean {
  return then <= now && now - then < within;
}
