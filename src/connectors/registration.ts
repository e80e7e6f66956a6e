import { optional } from '../config/schema/section.ts';
import {
  type RegistrationObservation,
  afterLook,
  nextLook,
  observationOf,
  openLicenses,
  type RegistrationMemory,
} from '../core/license/registration.ts';
import type { SlowSource, Watch, WatchDeps } from './source.ts';
import { observeRegistration, type RegistrationQuery } from './observe-registration.ts';
import { registration as section, type RegistrationConfig } from './registration-client.ts';
import type { EpochMs } from '../core/clock.ts';
import { discardIfStalled } from '../schedule/stall-monitor.ts';
import { Runner } from '../schedule/runner.ts';
import type { UnitObservation } from './unit-observation.ts';
import { type BudgetStore, parseBudget } from './metered-call.ts';
import { licensesOf, unitOf } from '../core/license/appliance.ts';

interface RegistrationSettings {
  readonly registration: RegistrationConfig | null;
}

interface RegistrationTools {
  readonly budget: BudgetStore;
  /** They tell which licences to ask for. */
  readonly appliances: readonly UnitObservation[];
}

/** An answer stands for so many times of the schedule when no newer one comes: licences move rarely. */
const KEPT_TIMES = 2;

/**
 * Asks the registration service on its schedule, and again, as soon as its quotas allow, for what it did not answer and
 * for licences that a unit was not known to have.
 */
export function watchRegistration(
  { registration }: RegistrationSettings,
  deps: WatchDeps<RegistrationObservation | null, RegistrationTools>,
): Watch {
  const { clock, env, ownTurn } = deps;
  let known: RegistrationMemory = new Map();
  /** Null: before the first look. */
  let everAsked: ReadonlySet<string> | null = null;
  /** What the next run asks for. `open`: for what was not answered, and for licences that it never asked for. */
  let scope: 'all' | 'open' = 'all';
  let cancelNext: () => void = () => undefined;

  async function look(signal: AbortSignal): Promise<void> {
    cancelNext();
    const own = scope;
    scope = 'all';
    const { appliances, budget } = await deps.tools();
    if (registration === null) return;
    const query = registrationQuery(appliances);
    const asked =
      own === 'all' ? query.licenses : [...unasked(query.licenses), ...among(openLicenses(known), query.licenses)];
    const answer = await discardIfStalled(
      clock,
      observeRegistration(registration, { ...query, licenses: asked }, budget, { clock, env, ownTurn, signal }),
    );
    if (signal.aborted) return;
    if (answer === null || isOwnTrouble(answer.seen)) {
      scope = own;
      runner.trigger();
      return;
    }
    known = afterLook(
      known,
      { wanted: query.licenses, asked, seen: answer.seen, at: clock.now() },
      KEPT_TIMES * deps.period,
    );
    everAsked = new Set([...among([...(everAsked ?? [])], query.licenses), ...asked]);
    deps.onSeen(observationOf(known, answer.seen));
    const at = await timeOfNext(known, budget, clock.now());
    if (at === null) return;
    cancelNext = clock.after(Math.max(0, at - clock.now()), () => {
      scope = 'open';
      runner.trigger();
    });
  }

  function unasked(licenses: readonly string[]): readonly string[] {
    return licenses.filter((license) => everAsked?.has(license) === false);
  }

  /** Asked only once: a licence that the service refuses waits for the schedule. */
  async function askForNew(): Promise<void> {
    if (everAsked === null) return;
    const { appliances } = await deps.tools();
    if (unasked(registrationQuery(appliances).licenses).length === 0) return;
    scope = 'open';
    runner.trigger();
  }

  const runner = new Runner({ ...deps, run: look });
  return {
    start: () => runner.start(),
    stop: async () => {
      cancelNext();
      await runner.stop();
      cancelNext();
    },
    toolsChanged: () => {
      askForNew().catch(deps.onError);
    },
  };
}

function among(licenses: readonly string[], wanted: readonly string[]): readonly string[] {
  return licenses.filter((license) => wanted.includes(license));
}

async function timeOfNext(known: RegistrationMemory, budget: BudgetStore, now: EpochMs): Promise<EpochMs | null> {
  const { blockedUntil } = parseBudget(await budget.load());
  return nextLook(known, blockedUntil, now);
}

/** What failed here, not there, is tried again at once, and what the service said before still stands. */
function isOwnTrouble(seen: RegistrationObservation): boolean {
  if (seen.kind === 'failed') return seen.reason === 'internal';
  return (
    seen.kind === 'ok' && seen.lookups.some(({ outcome }) => outcome.kind === 'failed' && outcome.reason === 'internal')
  );
}

/** FortiCloud's asset management: who holds the licences. Null: it was not asked. */
export const registration: SlowSource<
  'registration',
  RegistrationSettings,
  RegistrationObservation | null,
  RegistrationTools
> = {
  id: 'registration',
  runs: 'registration',
  sections: {
    registration: optional(section).describe(
      'FortiCloud asset management, read only: tells which unit a licence is registered to.',
    ),
  },
  isConfigured: (settings) => settings.registration !== null,
  unseen: () => null,
  observe: async (settings, look) =>
    settings.registration === null
      ? null
      : observeRegistration(settings.registration, registrationQuery(look.appliances), look.budget, look),
  watch: watchRegistration,
};

/** The licences that are configured or were seen on the appliances, and the serials to look for them under. */
function registrationQuery(units: readonly UnitObservation[]): RegistrationQuery {
  const licenses = units.flatMap(({ config: { licenses: configured }, rest }) => licensesOf(configured, rest));
  const serials = units
    .map((unit) => unitOf(unit.config, unit.rest, unit.role))
    .flatMap(({ serial, peers }) => [...(serial === null ? [] : [serial]), ...peers]);
  return { licenses: [...new Set(licenses)], serials: [...new Set(serials)] };
}
