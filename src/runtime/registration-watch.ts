import type { Config } from '../config/config.ts';
import type { ConnectorContext } from '../network/rest/context.ts';
import type { BudgetStore } from '../sources/registration/budget-store.ts';
import type { RegistrationQuery } from '../sources/registration/observe-registration.ts';
import { parseBudget } from '../sources/registration/parse-budget.ts';
import {
  afterLook,
  nextLook,
  observationOf,
  openLicenses,
  type RegistrationMemory,
} from '../core/license/registration-memory.ts';
import type { RegistrationObservation } from '../core/license/registration.ts';
import { periodOf } from '../schedule/cron-timer.ts';
import { Runner, type RunnerOptions } from '../schedule/runner.ts';
import { createSpreadTimer } from '../schedule/spread.ts';
import { observeHolders } from '../sources/appliances/observe-units.ts';
import { discardIfStalled } from './discard-if-stalled.ts';

/**
 * Asks the registration service on its schedule, and again, as soon as its quotas allow, for what it did not answer.
 */
export interface RegistrationWatch {
  start(): void;
  stop(): Promise<void>;
}

export interface RegistrationWatchDeps
  extends Omit<ConnectorContext, 'signal'>,
    Pick<RunnerOptions, 'onError' | 'onLag' | 'onMissed' | 'triggerGap'> {
  readonly budget: BudgetStore;
  /** Which licences to ask for; it settles when the appliances have told theirs. */
  readonly query: () => Promise<RegistrationQuery>;
  readonly onSeen: (registration: RegistrationObservation) => void;
}

/** An answer stands for so many times of the schedule when no newer one comes: licences move rarely. */
const KEPT_TIMES = 2;

export function createRegistrationWatch(config: Config, deps: RegistrationWatchDeps): RegistrationWatch {
  const { clock, env, budget } = deps;
  const expression = config.schedule.registration;
  const keptFor = KEPT_TIMES * periodOf(expression);
  let known: RegistrationMemory = new Map();
  /** What the next run asks for; null: everything. */
  let only: readonly string[] | null = null;
  let cancelNext: () => void = () => undefined;

  async function look(signal: AbortSignal): Promise<void> {
    cancelNext();
    const query = await deps.query();
    const asked = only?.filter((license) => query.licenses.includes(license)) ?? query.licenses;
    const { seen = null } =
      (await discardIfStalled(
        clock,
        observeHolders(config, { ...query, licenses: asked }, budget, { clock, env, signal }),
      )) ?? {};
    if (signal.aborted) return;
    if (seen === null || isOwnTrouble(seen)) {
      runner.trigger();
      return;
    }
    known = afterLook(known, { wanted: query.licenses, asked, seen, at: clock.now() }, keptFor);
    only = null;
    deps.onSeen(observationOf(known, seen));
    await arrangeNext();
  }

  async function arrangeNext(): Promise<void> {
    const { blockedUntil } = parseBudget(await budget.load());
    const now = clock.now();
    const at = nextLook(known, blockedUntil, now);
    if (at === null) return;
    cancelNext = clock.after(Math.max(0, at - now), () => {
      only = openLicenses(known);
      runner.trigger();
    });
  }

  const schedule = { expression, timezone: config.schedule.timezone, seed: config.site };
  const runner = new Runner({ ...deps, timer: (listener) => createSpreadTimer(schedule, clock, listener), run: look });
  return {
    start: () => runner.start(),
    stop: async () => {
      cancelNext();
      await runner.stop();
      cancelNext();
    },
  };
}

/** What failed here, not there, is tried again at once, and what the service said before still stands. */
function isOwnTrouble(seen: RegistrationObservation): boolean {
  if (seen.kind === 'failed') return seen.reason === 'internal';
  return (
    seen.kind === 'ok' && seen.lookups.some(({ outcome }) => outcome.kind === 'failed' && outcome.reason === 'internal')
  );
}
