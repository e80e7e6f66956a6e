import { CHECKS } from '../checks/registry.ts';
import type { Config } from '../config/config.ts';
import type { Millis } from '../core/clock.ts';
import type { ConnectorContext } from '../network/rest/context.ts';
import { periodOf } from '../schedule/cron-timer.ts';
import { discardIfStalled } from '../schedule/discard-if-stalled.ts';
import { Runner, type RunnerOptions } from '../schedule/runner.ts';
import { createSpreadTimer, type Schedule } from '../schedule/spread.ts';
import { type SlowFactsBySource, type SlowSourceId, sourcesThatRun } from '../sources/registry.ts';
import type { Watch } from '../sources/source.ts';
import { oneATurn } from '../system/next-turn.ts';
import { askEach, configuredSources, unseenPicture, type SlowTools } from './slow-sources.ts';

export interface UnitMonitorDeps
  extends Omit<ConnectorContext, 'signal' | 'ownTurn'>,
    Pick<RunnerOptions, 'onError' | 'onLag' | 'onMissed'>,
    Pick<SlowTools, 'budget' | 'pendingTokens'> {}

const TRIGGER_GAP: Millis = 60_000;

type Sources = ReturnType<typeof configuredSources>;
type Runs = Sources[number]['runs'];

/** Asks the slow sources on their own schedules, and keeps what they said last. */
export class UnitMonitor {
  readonly #config: Config;
  readonly #deps: UnitMonitorDeps;
  readonly #configured: Sources;
  readonly #watches: readonly Watch[];
  readonly #fresh = new Set<string>();
  readonly #ownTurn = oneATurn();
  /** Settles when what is on the schedule of the appliances was asked for the first time. */
  readonly #firstLook = Promise.withResolvers<undefined>();
  #picture: SlowFactsBySource;

  constructor(config: Config, deps: UnitMonitorDeps) {
    this.#config = config;
    this.#deps = deps;
    this.#picture = unseenPicture(config);
    this.#configured = configuredSources(config);
    this.#watches = [...this.#together('appliance'), ...this.#together('registration'), ...this.#alone()];
  }

  start(): void {
    if (this.#onScheduleOf('appliance').length === 0) this.#firstLook.resolve(undefined);
    for (const watch of this.#watches) watch.start();
  }

  async stop(): Promise<void> {
    this.#firstLook.resolve(undefined);
    await Promise.all(this.#watches.map((watch) => watch.stop()));
  }

  picture(): SlowFactsBySource {
    return this.#picture;
  }

  /** Asks one at once, since what it said on its schedule may be older than a fault of the path. Never rejects. */
  async askNow(id: SlowSourceId, signal: AbortSignal): Promise<void> {
    const asked = this.#configured.filter((source) => source.id === id);
    await this.#ask(asked, signal);
  }

  /** The preconditions that were looked at again since the last call. */
  drainUpdated(): readonly string[] {
    return judgedBy([...this.#fresh].filter((source) => this.#fresh.delete(source)));
  }

  /** False: this process stalled meanwhile. */
  async #ask(sources: Sources, signal: AbortSignal): Promise<boolean> {
    const { clock, env } = this.#deps;
    const asked = askEach(sources, this.#config, { ...this.#tools(), clock, env, ownTurn: this.#ownTurn, signal });
    const look = await discardIfStalled(clock, asked);
    if (look !== null && !signal.aborted) this.#keep(look.seen);
    return look !== null;
  }

  #keep(facts: object): void {
    this.#picture = { ...this.#picture, ...facts };
    for (const id of Object.keys(facts)) this.#fresh.add(id);
  }

  #tools(): SlowTools {
    const { budget, pendingTokens } = this.#deps;
    return { ...this.#picture, budget, pendingTokens };
  }

  /** Those that are asked by this schedule alone. */
  #onScheduleOf(runs: Runs): Sources {
    return this.#configured.filter((source) => source.runs === runs && source.watch === undefined);
  }

  /** They are asked together. */
  #together(runs: Runs): readonly Watch[] {
    const sources = this.#onScheduleOf(runs);
    if (sources.length === 0) return [];
    const run = async (signal: AbortSignal): Promise<void> => {
      const isSeen = await this.#ask(sources, signal);
      if (runs === 'appliance') this.#firstLook.resolve(undefined);
      if (!isSeen) runner.trigger();
    };
    const runner = new Runner({ ...this.#optionsFor(runs), run });
    return [runner];
  }

  /** Those that say themselves when they are asked. */
  #alone(): readonly Watch[] {
    return this.#configured.flatMap((source): Watch | [] => {
      const period = periodOf(scheduleOf(this.#config, source.runs).expression);
      const tools = (): Promise<SlowTools> => this.#firstLook.promise.then(() => this.#tools());
      const onSeen = (facts: unknown): void => {
        this.#keep({ [source.id]: facts });
      };
      const context = { env: this.#deps.env, ownTurn: this.#ownTurn };
      const deps = { ...this.#optionsFor(source.runs), ...context, period, tools, onSeen };
      return source.watch?.(this.#config, deps) ?? [];
    });
  }

  #optionsFor(runs: Runs): Omit<RunnerOptions, 'run'> {
    const { clock, onError, onLag, onMissed } = this.#deps;
    const timer: RunnerOptions['timer'] = (listener) =>
      createSpreadTimer(scheduleOf(this.#config, runs), clock, listener);
    return { clock, onError, onLag, onMissed, triggerGap: TRIGGER_GAP, timer };
  }
}

/** The preconditions that are judged by what one of these sources said. */
function judgedBy(sources: readonly string[]): readonly string[] {
  return CHECKS.flatMap((check) =>
    check.from === 'units' && check.sources.some((source) => sources.includes(source)) ? [check.id] : [],
  );
}

function scheduleOf({ schedule, site }: Config, runs: Runs): Schedule {
  return { expression: schedule[runs], timezone: schedule.timezone, seed: site };
}

/** How far apart the checks of each precondition are as planned, by its id. One of units has news when any source has. */
export function checkIntervals({ schedule }: Pick<Config, 'schedule'>): Readonly<Record<string, Millis>> {
  return Object.fromEntries(
    CHECKS.map((check) => {
      const asked =
        check.from === 'units'
          ? sourcesThatRun('appliance', 'registration').filter(({ id }) => check.sources.some((one) => one === id))
          : [];
      const expressions = asked.length === 0 ? [schedule.probes] : asked.map(({ runs }) => schedule[runs]);
      return [check.id, Math.min(...expressions.map(periodOf))];
    }),
  );
}
