import type { UnitSource, UnitsPicture } from '../checks/unit-facts.ts';
import type { Config } from '../config/config.ts';
import type { ConnectorContext } from '../network/rest/context.ts';
import type { BudgetStore } from '../sources/registration/budget-store.ts';
import { observeFirewall } from '../sources/firewall/observe-firewall.ts';
import type { Millis } from '../core/clock.ts';
import type { FirewallObservation } from '../core/license/firewall.ts';
import { CHECKS } from '../checks/registry.ts';
import { Runner, type RunnerOptions } from '../schedule/runner.ts';
import { createSpreadTimer, type Schedule } from '../schedule/spread.ts';
import { emptyPicture, observeUnits, registrationQuery } from '../sources/appliances/observe-units.ts';
import { discardIfStalled } from './discard-if-stalled.ts';
import { createRegistrationWatch } from './registration-watch.ts';

/** Asks appliances, firewall and registration service on their own, slower schedules, and keeps what they said last. */
export interface UnitWatch {
  start(): void;
  stop(): Promise<void>;
  picture(): UnitsPicture;
  /**
   * Asks the firewall at once, since what it said on its schedule may be older than a fault of the path. Never rejects.
   */
  askFirewall(signal: AbortSignal): Promise<void>;
  /** The preconditions that were looked at again since the last call. */
  takeFresh(): readonly string[];
}

export interface UnitWatchDeps
  extends Omit<ConnectorContext, 'signal'>,
    Pick<RunnerOptions, 'onError' | 'onLag' | 'onMissed'> {
  readonly budget: BudgetStore;
}

const TRIGGER_GAP: Millis = 60_000;

export function createUnitWatch(config: Config, deps: UnitWatchDeps): UnitWatch {
  const { clock, env } = deps;
  const fresh = new Set<UnitSource>();
  let picture = emptyPicture(config);

  const firstLook = Promise.withResolvers<undefined>();
  const units = new Runner({
    ...deps,
    timer: (listener) => createSpreadTimer(scheduleOf(config), clock, listener),
    triggerGap: TRIGGER_GAP,
    run: async (signal) => {
      const look = await discardIfStalled(clock, observeUnits(config, { clock, env, signal }));
      firstLook.resolve(undefined);
      if (look === null) units.trigger();
      if (look === null || signal.aborted) return;
      picture = { ...picture, ...look.seen };
      fresh.add('appliances').add('firewall');
    },
  });

  const registration = createRegistrationWatch(config, {
    ...deps,
    triggerGap: TRIGGER_GAP,
    query: async () => {
      await firstLook.promise;
      return registrationQuery(picture.units);
    },
    onSeen: (seen) => {
      picture = { ...picture, registration: seen };
      fresh.add('registration');
    },
  });

  return {
    picture: () => picture,
    askFirewall: async (signal) => {
      const firewall = await lookAtFirewall(config, { clock, env, signal });
      if (firewall === null) return;
      picture = { ...picture, firewall };
      fresh.add('firewall');
    },
    start: () => {
      if (config.appliances.length > 0 || config.firewall !== null) units.start();
      else firstLook.resolve(undefined);
      if (config.registration !== null) registration.start();
    },
    stop: async () => {
      firstLook.resolve(undefined);
      await Promise.all([units.stop(), registration.stop()]);
    },
    takeFresh: () => judgedBy([...fresh].filter((source) => fresh.delete(source))),
  };
}

/** The preconditions that are judged by what one of these sources said. */
function judgedBy(sources: readonly UnitSource[]): readonly string[] {
  return CHECKS.flatMap((check) =>
    check.from === 'units' && check.sources.some((source) => sources.includes(source)) ? [check.id] : [],
  );
}

/** Null: it is not configured, or this process stood still or was stopped meanwhile. */
async function lookAtFirewall(
  { firewall, licenseServer }: Config,
  ctx: ConnectorContext,
): Promise<FirewallObservation | null> {
  if (firewall === null) return null;
  const look = await discardIfStalled(ctx.clock, observeFirewall(firewall, licenseServer, ctx));
  return look === null || ctx.signal.aborted ? null : look.seen;
}

function scheduleOf({ schedule: { appliance, timezone }, site }: Config): Schedule {
  return { expression: appliance, timezone, seed: site };
}
