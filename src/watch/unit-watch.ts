import type { Config } from '../config/config.ts';
import type { ConnectorContext } from '../connectors/context.ts';
import type { BudgetStore } from '../connectors/forticloud/budget-store.ts';
import type { Clock } from '../core/clock.ts';
import type { RegistrationObservation } from '../core/license/registration.ts';
import type { PreconditionId } from '../core/precondition.ts';
import { isVoid } from '../round/void-round.ts';
import { Runner, type RunnerOptions } from '../schedule/runner.ts';
import { createSpreadTimer } from '../schedule/spread.ts';
import { createStallWatch } from '../schedule/stall-watch.ts';
import { emptyPicture, observeHolders, observeUnits, type UnitsPicture } from '../units/observe-units.ts';

/** Asks appliances, firewall and registration service on their own, slower schedules, and keeps what they said last. */
export interface UnitWatch {
  start(): void;
  stop(): Promise<void>;
  picture(): UnitsPicture;
  /** The preconditions that were looked at anew since the last call. */
  takeFresh(): readonly PreconditionId[];
}

export interface UnitWatchDeps extends Omit<ConnectorContext, 'signal'>, Pick<RunnerOptions, 'onError' | 'onLag' | 'onMissed'> {
  readonly budget: BudgetStore;
}

export function createUnitWatch(config: Config, deps: UnitWatchDeps): UnitWatch {
  const { clock, env, budget } = deps;
  const fresh = new Set<PreconditionId>();
  let picture = emptyPicture(config);

  function runner(expression: string, run: RunnerOptions['run']): Runner {
    const schedule = { expression, timezone: config.schedule.timezone, seed: config.site };
    return new Runner({ ...deps, timer: (listener) => createSpreadTimer(schedule, clock, listener), run, triggerGap: 60_000 });
  }

  const registration = runner(config.schedule.registration, async (signal) => {
    // Which licences to ask for is known only after the appliances have told theirs.
    await firstLook;
    const look = await awake(clock, observeHolders(config, picture.units, budget, { clock, env, signal }));
    if (look === null || isOwnTrouble(look.seen)) {
      registration.trigger();
      return;
    }
    const { seen } = look;
    // `postponed` keeps the quota of the service: what it said before still stands.
    if (signal.aborted || (seen?.kind === 'postponed' && picture.registration !== null)) return;
    picture = { ...picture, registration: seen };
    fresh.add('license-assignment');
  });

  let lookedOnce: () => void = () => undefined;
  const firstLook = new Promise<void>((resolve) => {
    lookedOnce = resolve;
  });
  const units = runner(config.schedule.appliance, async (signal) => {
    const look = await awake(clock, observeUnits(config, { clock, env, signal }));
    lookedOnce();
    if (look === null) units.trigger();
    if (look === null || signal.aborted) return;
    picture = { ...picture, ...look.seen };
    for (const id of ['appliance', 'token-pool', 'firewall-policy', 'license-assignment'] as const) fresh.add(id);
  });

  return {
    start: () => {
      if (config.appliances.length > 0 || config.firewall !== null) units.start();
      else lookedOnce();
      if (config.registration !== null) registration.start();
    },
    stop: async () => {
      lookedOnce();
      await Promise.all([units.stop(), registration.stop()]);
    },
    picture: () => picture,
    takeFresh: () => {
      const taken = [...fresh];
      fresh.clear();
      return taken;
    },
  };
}

/** Hours pass until the next look: what failed here, not there, is tried again, and what the service said before still stands. */
function isOwnTrouble(seen: RegistrationObservation | null): boolean {
  if (seen?.kind === 'failed') return seen.reason === 'internal';
  return seen?.kind === 'ok' && seen.lookups.some(({ outcome }) => outcome.kind === 'failed' && outcome.reason === 'internal');
}

/** Null: this process stood still meanwhile, so that what it saw says nothing about whom it asked. */
async function awake<T>(clock: Clock, look: Promise<T>): Promise<{ readonly seen: T } | null> {
  const stall = createStallWatch(clock);
  try {
    const seen = await look;
    return isVoid({ stalledMs: stall.take() }) ? null : { seen };
  } finally {
    stall.stop();
  }
}
