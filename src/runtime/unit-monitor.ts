import { CHECKS } from '../checks/registry.ts';
import type { Config } from '../config/config.ts';
import { type ApplianceMemory, applianceUnits } from '../connectors/appliances.ts';
import { firewallUnits } from '../connectors/firewall.ts';
import type { BudgetStore } from '../connectors/metered-call.ts';
import { peerUnits } from '../connectors/peers.ts';
import { type ConnectorId, type Picture, type Unit, UNIT_GAP, type UnitObservation } from '../connectors/picture.ts';
import { type RegistrationWatch, watchRegistration } from '../connectors/registration.ts';
import type { Millis } from '../core/clock.ts';
import { type FirewallObservation, firewallUnit } from '../core/license/firewall.ts';
import type { RegistrationObservation } from '../core/license/registration.ts';
import type { PeerObservation } from '../core/round.ts';
import type { PartlyFresh } from '../engine/incident/round-view.ts';
import type { Diagnosis, Finding } from '../engine/model.ts';
import type { ConnectorContext } from '../network/rest/json-exchange.ts';
import { createSpreadTimer, periodOf, type Schedule } from '../schedule/cron-timer.ts';
import { Runner, type RunnerOptions } from '../schedule/runner.ts';
import { discardIfStalled } from '../schedule/stall-monitor.ts';
import { startApart } from '../schedule/start-apart.ts';
import { oneATurn } from '../system/clock.ts';

interface UnitMonitorDeps
  extends Omit<ConnectorContext, 'signal' | 'ownTurn'>,
    Pick<RunnerOptions, 'onError' | 'onLag' | 'onMissed'>,
    ApplianceMemory {
  readonly budget: BudgetStore;
}

const TRIGGER_GAP: Millis = 60_000;

/** A part that is queried separately: a unit or the registration service. */
interface Part {
  readonly connector: ConnectorId;
  readonly name: string;
}

interface AskedPart extends Part {
  /** Queries the part and stores the result. Resolves to false if this process stalled during the query. */
  ask(context: ConnectorContext): Promise<boolean>;
}

interface Answer<Fact> {
  readonly fact: Fact;
  /** Monotonic time when the query began. */
  readonly began: Millis;
}

/** The units of one connector, with each unit's last result. */
class UnitGroup<Fact> {
  readonly parts: readonly AskedPart[];
  readonly #units: readonly Unit<Fact>[];
  readonly #answers = new Map<Unit<Fact>, Answer<Fact>>();

  /** @param onKept called when a unit's new result has been stored */
  constructor(connector: ConnectorId, units: readonly Unit<Fact>[], onKept: (part: Part) => void) {
    this.#units = units;
    this.parts = units.map((unit) => {
      const part: AskedPart = {
        connector,
        name: unit.name,
        ask: (context) => this.#ask(unit, context, () => onKept(part)),
      };
      return part;
    });
  }

  /** @param since results of earlier queries are replaced with the unit's `unanswered` observation, if there is one */
  facts(since: Millis = Number.NEGATIVE_INFINITY): readonly Fact[] {
    return this.#units.flatMap((unit) => {
      const answer = this.#answers.get(unit);
      if (unit.unanswered !== null && (answer?.began ?? Number.NEGATIVE_INFINITY) < since) return [unit.unanswered];
      if (answer !== undefined) return [answer.fact];
      return unit.unseen === null ? [] : [unit.unseen];
    });
  }

  async #ask(unit: Unit<Fact>, context: ConnectorContext, onKept: () => void): Promise<boolean> {
    const began = context.clock.elapsed();
    const look = await discardIfStalled(context.clock, unit.ask(context));
    // A result is dropped if the result of a later query has already arrived.
    const isNewest = (this.#answers.get(unit)?.began ?? began) <= began;
    if (look !== null && isNewest && !context.signal.aborted) {
      this.#answers.set(unit, { fact: look.seen, began });
      onKept();
    }
    return look !== null;
  }
}

/** Units and preconditions with new results since the last round. */
interface Renewed extends Pick<PartlyFresh, 'gone'> {
  /** Preconditions that depend on a connector for which all units have new results. */
  readonly preconditions: readonly string[];
  /** Names of units with new results, each with its connector's ID as a prefix. */
  readonly units: ReadonlySet<string>;
}

/**
 * Queries appliances, firewalls, peers and the registration service on their schedules, and keeps their last results.
 */
export class UnitMonitor {
  readonly #config: Config;
  readonly #deps: UnitMonitorDeps;
  readonly #appliances: UnitGroup<UnitObservation>;
  readonly #firewall: UnitGroup<FirewallObservation>;
  readonly #peers: UnitGroup<PeerObservation>;
  #registered: RegistrationObservation | null = null;
  readonly #registration: RegistrationWatch | null;
  /** Runner for the appliances' schedule. Null if nothing is queried on this schedule. */
  readonly #runner: Runner | null;
  readonly #asking = new Map<AskedPart, { readonly began: Millis; readonly done: Promise<boolean> }>();
  /** Runs that have not received all results yet. */
  readonly #runs = new Set<Promise<void>>();
  /** Parts with a query that has been requested but has not started. */
  readonly #queued = new Set<AskedPart>();
  /** Parts with new results since the last round. */
  readonly #renewed = new Set<Part>();
  /** Parts with new results, collected until all parts of the same connector have new results. */
  readonly #renewedSoFar = new Set<Part>();
  readonly #ownTurn = oneATurn();
  /** Resolves when all units on the appliances' schedule have been queried once. */
  readonly #firstLook = Promise.withResolvers<undefined>();

  constructor(config: Config, deps: UnitMonitorDeps) {
    this.#config = config;
    this.#deps = deps;
    const onKept = (part: Part): void => this.#onKept(part);
    this.#appliances = new UnitGroup('appliances', applianceUnits(config, deps), onKept);
    this.#firewall = new UnitGroup('firewall', firewallUnits(config), onKept);
    this.#peers = new UnitGroup('peers', peerUnits(config), onKept);
    this.#runner = this.#scheduled().length === 0 ? null : this.#createRunner();
    this.#registration = this.#watchRegistration();
  }

  start(): void {
    if (this.#runner === null) this.#firstLook.resolve(undefined);
    this.#runner?.start();
    this.#registration?.start();
  }

  async stop(): Promise<void> {
    this.#firstLook.resolve(undefined);
    await Promise.all([this.#runner?.stop(), this.#registration?.stop()]);
    await Promise.all([...this.#runs, ...[...this.#asking.values()].map(({ done }) => done)]);
  }

  picture(): Picture {
    return {
      appliances: this.#appliances.facts(),
      registration: this.#registered,
      firewall: this.#firewall.facts(),
      peers: this.#peers.facts(),
    };
  }

  /**
   * Like `picture`, but replaces results of queries before `began` with the unit's `unanswered` observation, if there
   * is one.
   */
  pictureSince(began: Millis): Picture {
    return { ...this.picture(), firewall: this.#firewall.facts(began) };
  }

  /**
   * Queries all units of one connector, because scheduled results may be older than a fault. Skips units with a pending
   * query that began after `since`. Resolves when all units have responded. Never rejects.
   */
  async askNow(id: 'appliances' | 'firewall', since: Millis, signal: AbortSignal): Promise<void> {
    const { parts } = id === 'firewall' ? this.#firewall : this.#appliances;
    await Promise.all(
      parts.map((part) => {
        const asking = this.#asking.get(part);
        return asking !== undefined && asking.began >= since ? asking.done : this.#ask(part, signal);
      }),
    );
  }

  /** Returns the units and preconditions with new results since the last call. */
  drainRenewed(): Renewed {
    const units = new Set([...this.#renewed].map(({ connector, name }) => unitKey(connector, name)));
    const whole: ConnectorId[] = [];
    const byAndBy: ConnectorId[] = [];
    for (const [connector, parts] of Map.groupBy(this.#parts(), (part) => part.connector)) {
      if (!parts.every((part) => this.#renewedSoFar.has(part))) continue;
      (parts.every((part) => this.#renewed.has(part)) ? whole : byAndBy).push(connector);
      for (const part of parts) this.#renewedSoFar.delete(part);
    }
    this.#renewed.clear();
    return { preconditions: judgedBy(whole), gone: judgedBy(byAndBy), units };
  }

  #scheduled(): readonly AskedPart[] {
    return [...this.#appliances.parts, ...this.#firewall.parts, ...this.#peers.parts];
  }

  #parts(): readonly Part[] {
    return this.#registration === null ? this.#scheduled() : [...this.#scheduled(), REGISTRATION];
  }

  #onKept(part: Part): void {
    this.#renewed.add(part);
    this.#renewedSoFar.add(part);
    this.#registration?.appliancesChanged();
  }

  /**
   * Starts queries to all parts that have no pending query, one after another. Resolves to false if this process
   * stalled in the meantime.
   */
  async #askAll(signal: AbortSignal): Promise<boolean> {
    const idle = this.#scheduled().filter((part) => !this.#asking.has(part) && !this.#queued.has(part));
    for (const part of idle) this.#queued.add(part);
    const seen = await startApart(idle, { clock: this.#deps.clock, signal, gap: UNIT_GAP }, (part) => {
      this.#queued.delete(part);
      return this.#ask(part, signal);
    });
    return !seen.includes(false);
  }

  /** Queries one part. Resolves to false if this process stalled during the query. */
  #ask(part: AskedPart, signal: AbortSignal): Promise<boolean> {
    const { clock, env } = this.#deps;
    const asking = { began: clock.elapsed(), done: part.ask({ clock, env, ownTurn: this.#ownTurn, signal }) };
    this.#asking.set(part, asking);
    void asking.done.then(() => {
      if (this.#asking.get(part) === asking) this.#asking.delete(part);
    });
    return asking.done;
  }

  /**
   * Creates the runner that queries all parts on one schedule. A run does not wait for results. The next run skips
   * parts that have not responded yet.
   */
  #createRunner(): Runner {
    let isFirst = true;
    const ask = async (signal: AbortSignal): Promise<void> => {
      const isFirstLook = isFirst;
      isFirst = false;
      const isSeen = await this.#askAll(signal);
      if (isFirstLook) this.#firstLook.resolve(undefined);
      if (!isSeen) runner.trigger();
    };
    const run = (signal: AbortSignal): Promise<void> => {
      const asked = ask(signal)
        .catch(this.#deps.onError)
        .finally(() => this.#runs.delete(asked));
      this.#runs.add(asked);
      return Promise.resolve();
    };
    const runner = new Runner({ ...this.#optionsFor('appliance'), run });
    return runner;
  }

  /**
   * Creates the connector for the registration service. This connector has a separate schedule. Returns null if the
   * registration service is not configured.
   */
  #watchRegistration(): RegistrationWatch | null {
    const { registration } = this.#config;
    if (registration === null) return null;
    return watchRegistration(registration, {
      ...this.#optionsFor('registration'),
      env: this.#deps.env,
      ownTurn: this.#ownTurn,
      period: periodOf(scheduleOf(this.#config, 'registration').expression),
      budget: this.#deps.budget,
      appliances: () => this.#firstLook.promise.then(() => this.#appliances.facts()),
      onSeen: (seen) => {
        this.#registered = seen;
        this.#onKept(REGISTRATION);
      },
    });
  }

  #optionsFor(id: 'appliance' | 'registration'): Omit<RunnerOptions, 'run'> {
    const { clock, onError, onLag, onMissed } = this.#deps;
    const timer: RunnerOptions['timer'] = (listener) =>
      createSpreadTimer(scheduleOf(this.#config, id), clock, listener);
    return { clock, onError, onLag, onMissed, triggerGap: TRIGGER_GAP, timer };
  }
}

const REGISTRATION: Part = { connector: 'registration', name: 'registration' };

/**
 * Returns the causes in a diagnosis that are based on a unit with new results. If a cause is based on several units or
 * on no particular unit, it is included only if all units have new results.
 */
export function renewedCauses({ causes, preconditions }: Diagnosis, units: Renewed['units']): PartlyFresh['seen'] {
  const shown = preconditions.flatMap(({ id, findings }) =>
    findings.filter((finding) => unitsOf(id, finding).some((unit) => units.has(unit))),
  );
  return causes.filter(({ id, subject }) =>
    shown.some((finding) => finding.suggests === id && finding.subject === subject),
  );
}

/**
 * Returns the unit on which a finding is based. Returns an empty list if there are several units or the unit is
 * unknown.
 */
function unitsOf(precondition: string, { facts = {}, concerns = [] }: Finding): readonly string[] {
  const check = CHECKS.find(({ id }) => id === precondition);
  if (check?.from !== 'units' || concerns.length > 1) return [];
  const { appliance = concerns[0], firewall, source } = facts;
  return check.sources.flatMap((id) => {
    if (id === 'appliances' && appliance !== undefined) return unitKey(id, appliance);
    return id === 'firewall' && firewall !== undefined && source !== undefined
      ? unitKey(id, firewallUnit({ firewall, source }))
      : [];
  });
}

function unitKey(connector: ConnectorId, name: string): string {
  return `${connector} ${name}`;
}

/** Returns the preconditions that depend on these connectors' results. */
function judgedBy(connectors: readonly ConnectorId[]): readonly string[] {
  return CHECKS.flatMap((check) =>
    check.from === 'units' && check.sources.some((id) => connectors.includes(id)) ? [check.id] : [],
  );
}

function scheduleOf({ schedule, site }: Config, id: 'appliance' | 'registration'): Schedule {
  return { expression: schedule[id], timezone: schedule.timezone, seed: site };
}

/**
 * Returns the planned interval between checks of each precondition, by ID. If a precondition depends on several
 * sources, it is updated whenever one of them is queried.
 */
export function checkIntervals({ schedule }: Pick<Config, 'schedule'>): Readonly<Record<string, Millis>> {
  return Object.fromEntries(
    CHECKS.map((check) => {
      const expressions =
        check.from === 'units'
          ? check.sources.map((id) => (id === 'registration' ? schedule.registration : schedule.appliance))
          : [schedule.probes];
      return [check.id, Math.min(...expressions.map(periodOf))];
    }),
  );
}
