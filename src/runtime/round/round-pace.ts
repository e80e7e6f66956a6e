import type { Config } from '../../config/config.ts';
import type { Millis } from '../../core/clock.ts';
import { paceTime, type PaceOptions } from '../../schedule/pace.ts';

/** A look costs some 3 ms of one core: at this pace a large round takes less than half of it. */
export const ROUND_PACE: PaceOptions = { atOnce: 16, gap: 8, underWay: 256 };

/** Handshakes in flight when all looks begin at once: more falsify each other's timings on one thread. */
const FEWEST_HANDSHAKES = 4;

/** Until the last look of a round begins. */
export function timeToBegin(config: Config): Millis {
  return paceTime(ROUND_PACE, looksOf(config));
}

/**
 * How many handshakes may be in flight: those of a large round begin apart from each other, and need not wait for far
 * or silent ones.
 */
export function handshakesOf(config: Config): number {
  const looks = looksOf(config);
  const { atOnce, underWay } = ROUND_PACE;
  return looks <= atOnce ? FEWEST_HANDSHAKES : Math.min(underWay, Math.max(FEWEST_HANDSHAKES, Math.ceil(looks / 4)));
}

/** Besides the licence server, which waits for nobody. */
function looksOf({ services, controlHosts, mail, clock }: Config): number {
  return services.length + controlHosts.length + mail.length + clock.ntp.length;
}
