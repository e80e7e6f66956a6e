import * as z from 'zod';
import { type GlobalpingConfig, measureOutside, type OutsideContext } from '../connectors/globalping.ts';
import type { HostPort } from '../core/addresses.ts';
import type { EpochMs, Millis } from '../core/clock.ts';
import {
  FEWEST_NETWORKS,
  networksOf,
  OUTSIDE_KINDS,
  type OutsideKind,
  type OutsideMeasurement,
  type OutsideView,
} from '../core/outside.ts';
import type { JsonFile } from '../system/json-file.ts';

interface OutsideWitnessDeps extends Omit<OutsideContext, 'signal'> {
  /** Remembers across restarts what was asked, so that a daemon that keeps crashing does not use up the limits. */
  readonly file: JsonFile;
}

/** A state file. */
export const OUTSIDE_FILE = 'outside.json';

/** Minimum time between two measurements of the same kind. */
const GAP: Millis = 15 * 60_000;
/** Slightly more than the gap, so that a long fault is always accompanied by a result. */
const CURRENT: Millis = 20 * 60_000;
const DAY: Millis = 24 * 60 * 60_000;
/** Longest pause after a failure. The service counts requests per hour. */
const BACK_OFF: Millis = 60 * 60_000;

const remembered = z.object({
  asked: z.partialRecord(z.enum(OUTSIDE_KINDS), z.number()),
  reachedAt: z.number().nullable(),
  pausedUntil: z.number(),
});

type Memory = z.output<typeof remembered>;

const NOTHING_ASKED: Memory = { asked: {}, reachedAt: null, pausedUntil: 0 };

/** Measures at once, for a command. Never rejects. */
export async function lookOutside(
  kinds: readonly OutsideKind[],
  config: GlobalpingConfig,
  target: HostPort,
  { file, ...context }: OutsideWitnessDeps & Pick<OutsideContext, 'signal'>,
): Promise<OutsideView> {
  const troubles: string[] = [];
  const look = async <Kind extends OutsideKind>(kind: Kind): Promise<OutsideMeasurement<Kind> | null> => {
    if (!kinds.includes(kind)) return null;
    const outcome = await measureOutside(kind, target, config, context);
    if (outcome.kind === 'measured') return outcome.measurement;
    troubles.push(outcome.why);
    return null;
  };
  const [certificate, reach, addresses, saved] = await Promise.all([
    look('certificate'),
    look('reach'),
    look('addresses'),
    file.load(),
  ]);
  const memory = remembered.safeParse(saved);
  const reachedAt = memory.success ? memory.data.reachedAt : null;
  return { certificate, reach, addresses, reachedAt, asking: [], trouble: troubles[0] ?? null };
}

/** Asks probes in other networks about the licence server when a round suspects a fault. */
export class OutsideWitness {
  readonly #config: GlobalpingConfig;
  readonly #target: HostPort;
  readonly #deps: OutsideWitnessDeps;
  /** Null until the file has been read. */
  #memory: Memory | null = null;
  /** When each suspicion began, on which all rounds since then agree. */
  readonly #suspectedSince = new Map<OutsideKind, EpochMs>();
  readonly #asking = new Map<OutsideKind, Promise<void>>();
  #seen: { readonly [Kind in OutsideKind]?: OutsideMeasurement<Kind> } = {};
  #trouble: string | null = null;
  #saving: Promise<void> = Promise.resolve();

  constructor(config: GlobalpingConfig, target: HostPort, deps: OutsideWitnessDeps) {
    this.#config = config;
    this.#target = target;
    this.#deps = deps;
    void this.#load();
  }

  /** What was measured since the current suspicions began, and is not outdated. Null if nothing is known. */
  view(): OutsideView | null {
    const { certificate, reach, addresses } = this.#seen;
    const view = {
      certificate: this.#current('certificate', certificate),
      reach: this.#current('reach', reach),
      addresses: this.#current('addresses', addresses),
      reachedAt: this.#memory?.reachedAt ?? null,
      asking: [...this.#asking.keys()].filter((kind) => this.#suspectedSince.has(kind)),
      trouble: this.#suspectedSince.size === 0 ? null : this.#trouble,
    };
    const isEmpty = view.certificate === null && view.reach === null && view.addresses === null;
    return isEmpty && view.trouble === null && view.asking.length === 0 ? null : view;
  }

  /**
   * Must be called once per round. Returns the measurements in progress, each of which resolves when its result can be
   * used, and never rejects.
   * @param wishes what would settle the suspicions of this round
   * @param isReached whether this site reaches the licence server
   */
  ask(wishes: readonly OutsideKind[], isReached: boolean, signal: AbortSignal): readonly Promise<void>[] {
    const now = this.#deps.clock.now();
    for (const kind of OUTSIDE_KINDS) {
      if (!wishes.includes(kind)) this.#suspectedSince.delete(kind);
      else if (!this.#suspectedSince.has(kind)) this.#suspectedSince.set(kind, now);
    }
    for (const kind of wishes) this.#askIfDue(kind, GAP, signal);
    // A failure elsewhere means something only if it is not always so.
    if (isReached && wishes.length === 0) this.#askIfDue('reach', DAY, signal);
    return wishes.flatMap((kind) => this.#asking.get(kind) ?? []);
  }

  #current<Kind extends OutsideKind>(
    kind: Kind,
    seen: OutsideMeasurement<Kind> | undefined,
  ): OutsideMeasurement<Kind> | null {
    const since = this.#suspectedSince.get(kind);
    const isUsed = seen !== undefined && since !== undefined && seen.at >= since;
    return isUsed && this.#deps.clock.now() - seen.at < CURRENT ? seen : null;
  }

  #askIfDue(kind: OutsideKind, gap: Millis, signal: AbortSignal): void {
    const memory = this.#memory;
    if (memory === null || this.#asking.has(kind)) return;
    const now = this.#deps.clock.now();
    // Times in the future are ignored, because the wall clock may have been set back.
    const last = memory.asked[kind];
    if (last !== undefined && last <= now && now - last < gap) return;
    if (now < memory.pausedUntil && memory.pausedUntil - now <= BACK_OFF) return;
    const asking = this.#measure(kind, memory, signal).finally(() => this.#asking.delete(kind));
    this.#asking.set(kind, asking);
  }

  async #measure(kind: OutsideKind, memory: Memory, signal: AbortSignal): Promise<void> {
    const { clock } = this.#deps;
    const now = clock.now();
    const isSuspected = this.#suspectedSince.has(kind);
    await this.#remember({ asked: { ...memory.asked, [kind]: now } });
    const outcome = await measureOutside(kind, this.#target, this.#config, { ...this.#deps, signal });
    if (outcome.kind === 'unavailable') {
      if (signal.aborted) return;
      this.#trouble = outcome.why;
      await this.#remember({ pausedUntil: clock.now() + Math.min(outcome.retryAfter ?? GAP, BACK_OFF) });
      return;
    }
    this.#trouble = null;
    this.#seen = { ...this.#seen, [kind]: outcome.measurement };
    const reached = this.#seen.reach?.results.filter((probe) => probe.reached) ?? [];
    if (kind === 'reach' && !isSuspected && networksOf(reached) >= FEWEST_NETWORKS)
      await this.#remember({ reachedAt: now });
  }

  async #load(): Promise<void> {
    const saved = remembered.safeParse(await this.#deps.file.load());
    this.#memory = saved.success ? saved.data : NOTHING_ASKED;
  }

  /** Written one after the other, because the last one that is written stays. */
  #remember(change: Partial<Memory>): Promise<void> {
    const memory = { ...(this.#memory ?? NOTHING_ASKED), ...change };
    this.#memory = memory;
    this.#saving = this.#saving.then(() => this.#deps.file.save(memory));
    return this.#saving;
  }
}
