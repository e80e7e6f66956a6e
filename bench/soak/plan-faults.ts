import type { Millis } from '../../src/core/clock.ts';
import { SETTINGS } from './configuration.ts';
import { FAULTS, faultNamed, PAIRS, type Fault, type Finder } from './faults.ts';
import type { Injection, Plan, PlanOptions } from './plan.ts';
import type { Chance } from './random.ts';
import { DAY, HOUR, MINUTE, RECOVERY, specialMoments, type Moment, type Special } from './special-moments.ts';

/** Duration of a fault, by finder. */
const LASTS: Readonly<Record<Finder, readonly [Millis, Millis]>> = {
  rounds: [50 * MINUTE, 110 * MINUTE],
  appliance: [50 * MINUTE, 120 * MINUTE],
  registration: [100 * MINUTE, 180 * MINUTE],
  log: [35 * MINUTE, 80 * MINUTE],
  silence: [(SETTINGS.silentAfterHours + 1) * HOUR, (SETTINGS.silentAfterHours + 2) * HOUR],
};
/** Longest time from the start of a fault to the earliest start of the next one, which keeps a special moment free. */
const LONGEST: Millis = LASTS.silence[1] + RECOVERY;
const PAUSE: readonly [Millis, Millis] = [10 * MINUTE, 400 * MINUTE];
/** In rounds. A confirmed fault is then also observed to continue. */
const SHORTEST = 4;
const PAIRED = 0.12;
/** Series of short outages: their share, their number, and the duration of outages and gaps, in rounds. */
const IN_A_ROW = { share: 0.12, most: 4, lasts: [3, 5], gone: [3.2, 5] } as const;
/** Faults that close the path briefly. */
const SHORT_OUTAGES = ['egress-blocked', 'tls-intercepted', 'tls-reset', 'tls-silent'] as const;
/** Each outage has ended after the second round without the fault. */
const ENDS_WITHIN = 3;
const RESTARTED = 0.2;

/** The next faults. */
interface Trouble {
  readonly injections: readonly Injection[];
  readonly to: Millis;
}

/** Plans faults one after the other, each at least once in thirty days, with time to recover in between. */
export function planFaults(options: PlanOptions, chance: Chance): Omit<Plan, 'noise'> {
  const specials = specialMoments(options.start, options.days, chance);
  const injections: Injection[] = [];
  const restarts: Millis[] = [];
  const decks: Decks = { faults: new Deck(FAULTS, chance), pairs: new Deck(PAIRS, chance) };
  for (let free = 2 * HOUR; ; ) {
    const wishes = { chance, every: options.every };
    // Regardless of the number of days.
    const next = injections.length === 0 ? inARow(free, wishes) : nextTrouble(free, specials, decks, wishes);
    if (next.to > options.days * DAY - RECOVERY) return { injections, restarts };
    injections.push(...next.injections);
    // Shortly before it begins, and in the middle of it.
    for (const { moment, from, to } of next.injections)
      if (moment === 'after a restart') restarts.push(from - 20_000, from + Math.floor((to - from) / 2));
    free = next.to + RECOVERY;
  }
}

function nextTrouble(
  free: Millis,
  specials: readonly Special[],
  decks: Decks,
  { chance, every }: { readonly chance: Chance; readonly every: Millis },
): Trouble {
  const ordinary = free + chance.between(...PAUSE);
  const special = specials.find(({ at }) => at >= free);
  if (special !== undefined && special.at < ordinary + LONGEST) {
    const fault = decks.faults.draw((candidate) => fits(candidate, special));
    const lasts = special.lasts ?? chance.between(...LASTS[fault.finder]);
    return troubleOf([fault], special.moment, special.at, special.at + Math.max(lasts, SHORTEST * every));
  }
  const dice = chance.share();
  if (dice >= PAIRED && dice < PAIRED + IN_A_ROW.share) return inARow(ordinary, { chance, every });
  const faults = dice < PAIRED ? decks.pairs.draw(() => true).map(faultNamed) : [decks.faults.draw(() => true)];
  const lasts = Math.max(SHORTEST * every, ...faults.map(({ finder }) => chance.between(...LASTS[finder])));
  const moment = faults.length > 1 ? 'two at once' : dice > 1 - RESTARTED ? 'after a restart' : 'ordinary';
  return troubleOf(faults, moment, ordinary, ordinary + lasts);
}

function troubleOf(faults: readonly Fault[], moment: Moment, from: Millis, to: Millis): Trouble {
  return { injections: faults.map((fault) => ({ fault, moment, from, to, endsWithin: null })), to };
}

/** Outages of one kind or several, each with a separate end. */
function inARow(free: Millis, { chance, every }: { readonly chance: Chance; readonly every: Millis }): Trouble {
  const injections: Injection[] = [];
  let from = free;
  for (let count = chance.between(2, IN_A_ROW.most + 1); count > 0; count -= 1) {
    const [name = SHORT_OUTAGES[0]] = chance.shuffled(SHORT_OUTAGES);
    const to = from + chance.between(IN_A_ROW.lasts[0] * every, IN_A_ROW.lasts[1] * every);
    injections.push({ fault: faultNamed(name), moment: 'in a row', from, to, endsWithin: ENDS_WITHIN * every });
    from = to + chance.between(IN_A_ROW.gone[0] * every, IN_A_ROW.gone[1] * every);
  }
  return { injections, to: injections.at(-1)?.to ?? free };
}

/** A maintenance window is short, so only some faults fit. */
function fits({ finder, isTold }: Fault, { lasts }: Special): boolean {
  return lasts === null || (finder === 'rounds' && isTold);
}

interface Decks {
  readonly faults: Deck<Fault>;
  readonly pairs: Deck<readonly [string, string]>;
}

/** All items in random order, shuffled again after all have been drawn. */
class Deck<T> {
  readonly #all: readonly T[];
  readonly #chance: Chance;
  readonly #left: T[];

  constructor(all: readonly T[], chance: Chance) {
    this.#all = all;
    this.#chance = chance;
    this.#left = [...chance.shuffled(all)];
  }

  draw(isMeant: (card: T) => boolean): T {
    if (!this.#left.some(isMeant)) this.#left.push(...this.#chance.shuffled(this.#all));
    const [card] = this.#left.splice(this.#left.findIndex(isMeant), 1);
    if (card === undefined) throw new RangeError('No fault fits');
    return card;
  }
}
