import { CHECKS } from '../checks/registry.ts';
import type { Config } from '../config/config.ts';
import type { Millis } from '../core/clock.ts';
import type { ConnectorContext } from '../network/rest/context.ts';
import { periodOf } from '../schedule/cron-timer.ts';
import { discardIfStalled } from '../schedule/discard-if-stalled.ts';
import { Runner, type RunnerOptions } from '../schedule/runner.ts';
import { createSpreadTimer, type Schedule } from '../schedule/spread.ts';
import type { SlowFactsBySource, SlowSourceId } from '../sources/registry.ts';
import type { Watch } from '../sources/source.ts';
import { askEach, configuredSources, unseenPicture, type SlowTools } from './slow-sources.ts';

/** Asks the slow sources on their own schedules, and keeps what they said last. */
export interface UnitWatch {
  start(): void;
  stop(): Promise<void>;
  picture(): SlowFactsBySource;
  /** Asks one at once, since what it said on its schedule may be older than a fault of the path. Never rejects. */
  ask(id: SlowSourceId, signal: AbortSignal): Promise<void>;
  /** The preconditions that were looked at again since the last call. */
  takeFresh(): readonly string[];
}

export interface UnitWatchDeps
  extends Omit<ConnectorContext, 'signal'>,
    Pick<RunnerOptions, 'onError' | 'onLag' | 'onMissed'>,
    Pick<SlowTools, 'budget'> {}

const TRIGGER_GAP: Millis = 60_000;

type Runs = ReturnType<typeof configuredSources>[number]['runs'];

export function createUnitWatch(config: Config, deps: UnitWatchDeps): UnitWatch {
  const { clock, env, budget, onError, onLag, onMissed } = deps;
  const configured = configuredSources(config);
  const fresh = new Set<string>();
  let picture = unseenPicture(config);
  /** Settles when what is on the schedule of the appliances was asked for the first time. */
  const firstLook = Promise.withResolvers<undefined>();

  function keep(facts: object): void {
    picture = { ...picture, ...facts };
    for (const id of Object.keys(facts)) fresh.add(id);
  }

  /** False: this process stood still meanwhile. */
  async function ask(sources: typeof configured, signal: AbortSignal): Promise<boolean> {
    const look = await discardIfStalled(clock, askEach(sources, config, { ...picture, budget, clock, env, signal }));
    if (look !== null && !signal.aborted) keep(look.seen);
    return look !== null;
  }

  const optionsOf = (runs: Runs): Omit<RunnerOptions, 'run'> => ({
    ...{ clock, onError, onLag, onMissed, triggerGap: TRIGGER_GAP },
    timer: (listener) => createSpreadTimer(scheduleOf(config, runs), clock, listener),
  });

  /** Those that are asked by their schedule alone, together. */
  function together(runs: Runs): readonly Watch[] {
    const sources = configured.filter((source) => source.runs === runs && source.watch === undefined);
    const run = async (signal: AbortSignal): Promise<void> => {
      const isSeen = await ask(sources, signal);
      if (runs === 'appliance') firstLook.resolve(undefined);
      if (!isSeen) runner.trigger();
    };
    const runner = new Runner({ ...optionsOf(runs), run });
    return sources.length === 0 ? [] : [runner];
  }

  const appliances = together('appliance');
  const alone = configured.flatMap((source): Watch | [] => {
    const period = periodOf(scheduleOf(config, source.runs).expression);
    const tools = (): Promise<SlowTools> => firstLook.promise.then(() => ({ ...picture, budget }));
    const onSeen = (facts: unknown): void => {
      keep({ [source.id]: facts });
    };
    return source.watch?.(config, { ...optionsOf(source.runs), env, period, tools, onSeen }) ?? [];
  });
  const watches = [...appliances, ...together('registration'), ...alone];

  return {
    picture: () => picture,
    ask: async (id, signal) => {
      await ask(
        configured.filter((source) => source.id === id),
        signal,
      );
    },
    start: () => {
      if (appliances.length === 0) firstLook.resolve(undefined);
      for (const watch of watches) watch.start();
    },
    stop: async () => {
      firstLook.resolve(undefined);
      await Promise.all(watches.map((watch) => watch.stop()));
    },
    takeFresh: () => judgedBy([...fresh].filter((source) => fresh.delete(source))),
  };
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
