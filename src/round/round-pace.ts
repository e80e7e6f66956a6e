import type { Config } from '../config/config.ts';
import type { Clock, Millis } from '../core/clock.ts';
import { createLimiter } from '../probes/limiter.ts';
import { createPace, paceTime, type PaceOptions } from '../schedule/pace.ts';

/** When the looks of a round begin. A handful begins at once; a thousand begin one by one, so that each measures its target alone. */
export interface RoundPace {
  /** Begins `work` when it is its turn and there is room; with the signal aborted at once, for it to say so. */
  begin<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T>;
}

/** A look costs some 3 ms of one core: at this pace they take less than half of it. */
const PACE: PaceOptions = { atOnce: 16, gap: 8 };
/** Looks under way at once, most of which wait for the network: it bounds the open sockets. */
const UNDER_WAY = 256;
/** Handshakes in flight at once when all begin at once: more falsify each other's timings on one thread. */
const FEWEST_HANDSHAKES = 4;

export function createRoundPace(clock: Clock): RoundPace {
  const pace = createPace(clock, PACE);
  const room = createLimiter(UNDER_WAY);
  return {
    begin: async (work, signal) => {
      await pace.turn(signal);
      return signal.aborted ? work() : room.run(work, signal).catch(work);
    },
  };
}

/** Until the last look of a round begins. */
export function timeToBegin(config: Config): Millis {
  return paceTime(PACE, looksOf(config));
}

/** How many handshakes may be in flight: those of a large round begin apart from each other, and need not wait for far or silent ones. */
export function handshakesOf(config: Config): number {
  const looks = looksOf(config);
  return looks <= PACE.atOnce ? FEWEST_HANDSHAKES : Math.min(UNDER_WAY, Math.max(FEWEST_HANDSHAKES, Math.ceil(looks / 4)));
}

/** Besides the licence server, which waits for nobody. */
function looksOf({ services, controlHosts, mail, clock }: Config): number {
  return services.length + controlHosts.length + mail.length + clock.ntp.length;
}
