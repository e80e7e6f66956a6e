import type { CheckSource } from '../checks/check.ts';
import { CHECKS, checksOf } from '../checks/registry.ts';
import type { Config } from '../config/config.ts';
import { type ApplianceMemory, applianceUnits } from '../connectors/appliances.ts';
import { firewallUnits } from '../connectors/firewall.ts';
import type { BudgetStore } from '../connectors/metered-call.ts';
import { peerUnits } from '../connectors/peers.ts';
import { type ConnectorId, type Picture, type Unit, UNIT_GAP, type UnitObservation } from '../connectors/picture.ts';
import { type RegistrationWatch, watchRegistration } from '../connectors/registration.ts';
import type { Millis } from '../core/clock.ts';
import { type FirewallObservation, firewallUnit } from '../core/firewall.ts';
import type { RegistrationObservation } from '../core/license/registration.ts';
import type { PeerObservation } from '../core/round.ts';
import type { PartlyFresh } from '../engine/incident/round-view.ts';
import type { Diagnosis, Finding } from '../engine/model.ts';
import type { ConnectorContext } from '../network/rest/json-exchange.ts';
import { createSpreadTimer, periodOf, type Schedule } from '../system/cron-timer.ts';
import { Runner, type RunnerOptions } from '../system/runner.ts';
import { discardIfStalled } from '../system/stall-monitor.ts';
import { startApart } from '../system/start-apart.ts';
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
  /** Resolves to false if this process stalled during the query. */
  ask(context: ConnectorContext): Promise<boolean>;
}

interface Answer<Fact> {
  readonly fact: Fact;
  readonly began: Millis;
}

class UnitGroup<Fact> {
  readonly parts: readonly AskedPart[];
  readonly #units: readonly Unit<Fact>[];
  readonly #answers = new Map<Unit<Fact>, Answer<Fact>>();

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
    const result = await discardIfStalled(context.clock, unit.ask(context));
    // A result is dropped if the result of a later query has already arrived.
    const isNewest = (this.#answers.get(unit)?.began ?? began) <= began;
    if (result !== null && isNewest && !context.signal.aborted) {
      this.#answers.set(unit, { fact: result.seen, began });
      onKept();
    }
    return result !== null;
  }
}

interface Renewed extends Pick<PartlyFresh, 'gone'> {
  /** Preconditions that depend on a connector for which all units have new results. */
  readonly preconditions: readonly string[];
  /** Names of the units, each prefixed with its connector's ID. */
  readonly units: ReadonlySet<string>;
}

export class UnitMonitor {
  readonly #config: Config;
  readonly #deps: UnitMonitorDeps;
  readonly #appliances: UnitGroup<UnitObservation>;
  readonly #firewall: UnitGroup<FirewallObservation>;
  readonly #peers: UnitGroup<PeerObservation>;
  #registered: RegistrationObservation | null = null;
  readonly #registration: RegistrationWatch | null;
  readonly #runner: Runner | null;
  readonly #asking = new Map<AskedPart, { readonly began: Millis; readonly done: Promise<boolean> }>();
  /** Runs that have not yet received all results. */
  readonly #runs = new Set<Promise<void>>();
  /** Parts whose query has been requested but has not started. */
  readonly #queued = new Set<AskedPart>();
  /** Parts with new results since the last round. */
  readonly #renewed = new Set<Part>();
  /** Parts with new results, collected until all parts of the same connector have new results. */
  readonly #renewedSoFar = new Set<Part>();
  readonly #ownTurn = oneATurn();
  /** Resolves when all units on the appliances' schedule have been queried once. */
  readonly #firstQueries = Promise.withResolvers<undefined>();

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
    if (this.#runner === null) this.#firstQueries.resolve(undefined);
    this.#runner?.start();
    this.#registration?.start();
  }

  async stop(): Promise<void> {
    this.#firstQueries.resolve(undefined);
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

  /** Replaces results of firewall queries that were started before `began` with the unit's `unanswered` observation. */
  pictureSince(began: Millis): Picture {
    return { ...this.picture(), firewall: this.#firewall.facts(began) };
  }

  /**
   * Scheduled results can be older than a fault. Waits for a unit's pending query if it began after `since`, otherwise
   * queries the unit again. Never rejects.
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
    return { preconditions: checksOf(...whole), gone: checksOf(...byAndBy), units };
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

  /** Starts the queries one after another. Resolves to false if this process stalled in the meantime. */
  async #askAll(signal: AbortSignal): Promise<boolean> {
    const idle = this.#scheduled().filter((part) => !this.#asking.has(part) && !this.#queued.has(part));
    for (const part of idle) this.#queued.add(part);
    const seen = await startApart(idle, { clock: this.#deps.clock, signal, gap: UNIT_GAP }, (part) => {
      this.#queued.delete(part);
      return this.#ask(part, signal);
    });
    return !seen.includes(false);
  }

  #ask(part: AskedPart, signal: AbortSignal): Promise<boolean> {
    const { clock, env } = this.#deps;
    const asking = { began: clock.elapsed(), done: part.ask({ clock, env, ownTurn: this.#ownTurn, signal }) };
    this.#asking.set(part, asking);
    void asking.done.then(() => {
      if (this.#asking.get(part) === asking) this.#asking.delete(part);
    });
    return asking.done;
  }

  /** A run does not wait for results. The next run skips parts that have not responded yet. */
  #createRunner(): Runner {
    let isFirst = true;
    const ask = async (signal: AbortSignal): Promise<void> => {
      const isFirstRun = isFirst;
      isFirst = false;
      const isSeen = await this.#askAll(signal);
      if (isFirstRun) this.#firstQueries.resolve(undefined);
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

  #watchRegistration(): RegistrationWatch | null {
    const { registration } = this.#config;
    if (registration === null) return null;
    return watchRegistration(registration, {
      ...this.#optionsFor('registration'),
      env: this.#deps.env,
      ownTurn: this.#ownTurn,
      period: periodOf(scheduleOf(this.#config, 'registration').expression),
      budget: this.#deps.budget,
      appliances: () => this.#firstQueries.promise.then(() => this.#appliances.facts()),
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

/** Causes that are based on several units or on no particular unit count only when all units have new results. */
export function renewedCauses({ causes, preconditions }: Diagnosis, units: Renewed['units']): PartlyFresh['seen'] {
  const shown = preconditions.flatMap(({ id, findings }) =>
    findings.filter((finding) => unitsOf(id, finding).some((unit) => units.has(unit))),
  );
  return causes.filter(({ id, subject }) =>
    shown.some((finding) => finding.suggests === id && finding.subject === subject),
  );
}

function unitsOf(precondition: string, { facts = {}, concerns = [] }: Finding): readonly string[] {
  const check = CHECKS.find(({ id }) => id === precondition);
  if (check === undefined || concerns.length > 1) return [];
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

function scheduleOf({ schedule, site }: Config, id: 'appliance' | 'registration'): Schedule {
  return { expression: schedule[id], timezone: schedule.timezone, seed: site };
}

/** A precondition with several sources is updated whenever any of them is queried. */
export function checkIntervals({ schedule }: Pick<Config, 'schedule'>): Readonly<Record<string, Millis>> {
  const probes = periodOf(schedule.probes);
  const appliance = periodOf(schedule.appliance);
  const periods: Readonly<Record<CheckSource, Millis>> = {
    round: probes,
    log: probes,
    agent: probes,
    appliances: appliance,
    firewall: appliance,
    peers: appliance,
    registration: periodOf(schedule.registration),
  };
  return Object.fromEntries(
    CHECKS.map(({ id, sources }) => [id, Math.min(...sources.map((source) => periods[source]))]),
  );
}
