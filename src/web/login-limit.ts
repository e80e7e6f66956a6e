import ipaddr from 'ipaddr.js';
import type { Clock, Millis } from '../core/clock.ts';
import { BoundedMap } from './bounded-map.ts';

interface Budget {
  readonly burst: number;
  /** One more after each. */
  readonly every: Millis;
}

/** Mistyped often enough by a person, and 14,400 guesses a day for a program. */
const OWN: Budget = { burst: 10, every: 6_000 };
/** Each costs a quarter of a second of a processor or so: what is left of it is for the probes. */
const EVERYBODY: Budget = { burst: 40, every: 1_000 };
/** Beyond these, the one that has been quiet for the longest is forgotten: the common budget still counts. */
const MAX_NETWORKS = 4_096;
const TRUSTED_FOR: Millis = 24 * 3_600_000;

/** Tries that were taken, as of an instant; they fade with time. */
interface Taken {
  count: number;
  at: Millis;
}

/**
 * How many wrong passwords may be tried: from one network, and by everybody together. Its memory is bounded, however
 * many try.
 */
export class LoginLimit {
  readonly #clock: Clock;
  readonly #byNetwork = new BoundedMap<Taken>(MAX_NETWORKS);
  readonly #trustedUntil = new BoundedMap<Millis>(MAX_NETWORKS);
  readonly #everybody: Taken = { count: 0, at: 0 };

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Takes a try. @returns null, or how long until there is another one */
  take(network: string): Millis | null {
    const now = this.#clock.elapsed();
    const own = this.#byNetwork.get(network) ?? { count: 0, at: now };
    const common = this.isTrusted(network) ? 0 : waitFor(this.#everybody, EVERYBODY, now);
    const wait = Math.max(waitFor(own, OWN, now), common);
    if (wait > 0) return wait;
    own.count += 1;
    this.#everybody.count += 1;
    this.#byNetwork.set(network, own);
    return null;
  }

  /** Gives one back: nothing was tried, or it was right. */
  giveBack(network: string): void {
    for (const taken of [this.#byNetwork.get(network), this.#everybody])
      if (taken !== undefined) taken.count = Math.max(0, taken.count - 1);
  }

  /** It was right. What others get wrong does not keep this network out from now on. */
  trust(network: string): void {
    this.#trustedUntil.set(network, this.#clock.elapsed() + TRUSTED_FOR);
  }

  isTrusted(network: string): boolean {
    return (this.#trustedUntil.get(network) ?? 0) > this.#clock.elapsed();
  }
}

/** Lets what was taken fade, and tells how long until one more may be; 0: now. */
function waitFor(taken: Taken, { burst, every }: Budget, now: Millis): Millis {
  taken.count = Math.max(0, taken.count - (now - taken.at) / every);
  taken.at = now;
  return taken.count <= burst - 1 ? 0 : (taken.count - (burst - 1)) * every;
}

/**
 * What one party has: an IPv4 address, or a /64 of IPv6, of which everybody has as many addresses as there are (RFC
 * 4291 §2.5.4).
 */
export function networkOf(address: string | undefined): string {
  if (address === undefined || !ipaddr.isValid(address)) return 'unknown';
  const parsed = ipaddr.process(address);
  return parsed.kind() === 'ipv4'
    ? parsed.toString()
    : `${Buffer.from(parsed.toByteArray().slice(0, 8)).toString('hex')}/64`;
}
