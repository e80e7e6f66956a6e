import type { CheckSource } from '../checks/check.ts';
import { CHECKS, checksOf } from '../checks/registry.ts';
import type { Config } from '../config/config.ts';
import { type ApplianceMemory, applianceSystems } from '../connectors/appliances.ts';
import { firewallSystems } from '../connectors/firewall.ts';
import { peerSystems } from '../connectors/peers.ts';
import {
  type ConnectedSystem,
  type ConnectorId,
  type Picture,
  START_GAP,
  type UnitObservation,
} from '../connectors/picture.ts';
import { registrationSystems } from '../connectors/registration.ts';
import type { Millis } from '../core/clock.ts';
import { type FirewallObservation, flowName } from '../core/firewall.ts';
import type { RegistrationObservation } from '../core/license/registration.ts';
import type { PeerObservation } from '../core/round.ts';
import type { PartlyFresh } from '../engine/incident/round-view.ts';
import type { Diagnosis, Finding } from '../engine/model.ts';
import { unlessAborted } from '../network/context.ts';
import type { ConnectorContext } from '../network/rest/json-exchange.ts';
import { oneATurn, sleep } from '../system/clock.ts';
import { createSpreadTimer, periodOf, type Schedule, zonedTimes } from '../system/cron-timer.ts';
import type { JsonFile } from '../system/json-file.ts';
import { Runner, type RunnerOptions } from '../system/runner.ts';
import { discardIfStalled } from '../system/stall-monitor.ts';

interface ConnectedSystemsDeps
  extends Omit<ConnectorContext, 'signal' | 'ownTurn'>,
    Pick<RunnerOptions, 'onError' | 'onLag' | 'onMissed'>,
    ApplianceMemory {
  /** Answers of the registration service. */
  readonly registrationFile: JsonFile;
}

const TRIGGER_GAP: Millis = 60_000;

/** One system and its latest answer. */
class SystemLoop<Fact> {
  readonly connector: ConnectorId;
  readonly name: string;
  readonly #system: ConnectedSystem<Fact>;
  readonly #onAnswer: (loop: SystemLoop<unknown>) => void;
  #answer: { readonly fact: Fact; readonly began: Millis } | null = null;
  #asking: { readonly began: Millis; readonly done: Promise<boolean> } | null = null;
  #wake: () => void = () => undefined;

  constructor(connector: ConnectorId, system: ConnectedSystem<Fact>, onAnswer: (loop: SystemLoop<unknown>) => void) {
    this.connector = connector;
    this.name = system.name;
    this.#system = system;
    this.#onAnswer = onAnswer;
  }

  hasAnswered(): boolean {
    return this.#answer !== null;
  }

  /** @param since an earlier answer is replaced with the system's `unanswered` observation, if there is one */
  facts(since: Millis): readonly Fact[] {
    const { unanswered, unseen } = this.#system;
    const isOld = (this.#answer?.began ?? Number.NEGATIVE_INFINITY) < since;
    const fact = isOld && unanswered !== null ? unanswered : (this.#answer?.fact ?? unseen);
    return fact === null ? [] : [fact];
  }

  /** Has no effect during a query. */
  wake(): void {
    this.#wake();
  }

  /** Asks after a delay whenever it is woken. Rejects when the signal is aborted. */
  async run(context: ConnectorContext, delay: Millis, onStalled: () => void): Promise<never> {
    const { clock, signal } = context;
    for (;;) {
      const woken = Promise.withResolvers<undefined>();
      this.#wake = () => woken.resolve(undefined);
      await unlessAborted(woken.promise, signal);
      await sleep(clock, delay, signal);
      if (!(await this.ask(context))) onStalled();
    }
  }

  /**
   * Asks, unless a query that began after `since` is still pending. Resolves to false if this process stalled during
   * the query.
   */
  ask(context: ConnectorContext, since = Number.NEGATIVE_INFINITY): Promise<boolean> {
    if (this.#asking !== null && this.#asking.began >= since) return this.#asking.done;
    const began = context.clock.elapsed();
    const asking = { began, done: this.#ask(context, began) };
    this.#asking = asking;
    void asking.done.then(() => (this.#asking = this.#asking === asking ? null : this.#asking));
    return asking.done;
  }

  async idle(): Promise<void> {
    await this.#asking?.done;
  }

  async #ask(context: ConnectorContext, began: Millis): Promise<boolean> {
    const result = await discardIfStalled(context.clock, this.#system.ask(context));
    // A result is dropped if the result of a later query has already arrived.
    const isNewest = (this.#answer?.began ?? began) <= began;
    if (result !== null && isNewest && !context.signal.aborted) {
      this.#answer = { fact: result.seen, began };
      this.#onAnswer(this);
    }
    return result !== null;
  }
}

interface Renewed extends Pick<PartlyFresh, 'gone'> {
  /** Preconditions that depend on a connector for which all systems have new answers. */
  readonly preconditions: readonly string[];
  /** Names of the systems, each prefixed with its connector's ID. */
  readonly systems: ReadonlySet<string>;
}

/** Asks all systems that are queried on slower schedules than a round, each in its own loop. */
export class ConnectedSystems {
  readonly #config: Config;
  readonly #deps: ConnectedSystemsDeps;
  readonly #appliances: readonly SystemLoop<UnitObservation>[];
  readonly #firewall: readonly SystemLoop<FirewallObservation>[];
  readonly #peers: readonly SystemLoop<PeerObservation>[];
  readonly #registration: readonly SystemLoop<RegistrationObservation>[];
  readonly #loops: readonly SystemLoop<unknown>[];
  readonly #runners: Runner[] = [];
  readonly #stopping = new AbortController();
  readonly #ownTurn = oneATurn();
  readonly #running: Promise<unknown>[] = [];
  /** Systems with new answers since the last round. */
  readonly #renewed = new Set<SystemLoop<unknown>>();
  /** Systems with new answers, collected until all systems of the same connector have new answers. */
  readonly #renewedSoFar = new Set<SystemLoop<unknown>>();

  constructor(config: Config, deps: ConnectedSystemsDeps) {
    const loops = <Fact>(id: ConnectorId, systems: readonly ConnectedSystem<Fact>[]): readonly SystemLoop<Fact>[] =>
      systems.map((system) => new SystemLoop(id, system, (loop) => this.#onAnswer(loop)));
    const { schedule } = config;
    const times = zonedTimes(schedule.registration, schedule.timezone);
    this.#config = config;
    this.#deps = deps;
    this.#appliances = loops('appliances', applianceSystems(config, deps));
    this.#firewall = loops('firewall', firewallSystems(config));
    this.#peers = loops('peers', peerSystems(config));
    this.#registration = loops(
      'registration',
      registrationSystems(config, {
        file: deps.registrationFile,
        units: () => factsOf(this.#appliances),
        period: periodOf(schedule.registration),
        isFresh: (at) => (times.next(at) ?? Number.POSITIVE_INFINITY) > deps.clock.now(),
      }),
    );
    this.#loops = [...this.#appliances, ...this.#firewall, ...this.#peers, ...this.#registration];
  }

  start(): void {
    const scheduled = this.#loops.filter(({ connector }) => connector !== 'registration');
    this.#begin(scheduled, scheduleOf(this.#config, 'appliance'), () => {
      for (const loop of scheduled) loop.wake();
    });
    this.#begin(this.#registration, scheduleOf(this.#config, 'registration'), () => this.#wakeRegistration());
  }

  async stop(): Promise<void> {
    this.#stopping.abort(new Error('Stopping'));
    await Promise.all(this.#runners.map((runner) => runner.stop()));
    await Promise.all([...this.#running, ...this.#loops.map((loop) => loop.idle())]);
  }

  picture(): Picture {
    return {
      appliances: factsOf(this.#appliances),
      registration: factsOf(this.#registration)[0] ?? null,
      firewall: factsOf(this.#firewall),
      peers: factsOf(this.#peers),
    };
  }

  /** Replaces results of firewall queries that were started before `began` with the `unanswered` observation. */
  pictureSince(began: Millis): Picture {
    return { ...this.picture(), firewall: factsOf(this.#firewall, began) };
  }

  /**
   * Scheduled results can be older than a fault. Waits for a firewall's pending query if it began after `since`,
   * otherwise queries the firewall again. Never rejects.
   */
  async askFirewalls(since: Millis, signal: AbortSignal): Promise<void> {
    await Promise.all(this.#firewall.map((loop) => loop.ask(this.#context(signal), since)));
  }

  drainRenewed(): Renewed {
    const systems = new Set([...this.#renewed].map(({ connector, name }) => systemKey(connector, name)));
    const whole: ConnectorId[] = [];
    const byAndBy: ConnectorId[] = [];
    for (const [connector, loops] of Map.groupBy(this.#loops, (loop) => loop.connector)) {
      if (!loops.every((loop) => this.#renewedSoFar.has(loop))) continue;
      (loops.every((loop) => this.#renewed.has(loop)) ? whole : byAndBy).push(connector);
      for (const loop of loops) this.#renewedSoFar.delete(loop);
    }
    this.#renewed.clear();
    return { preconditions: checksOf(...whole), gone: checksOf(...byAndBy), systems };
  }

  #onAnswer(loop: SystemLoop<unknown>): void {
    this.#renewed.add(loop);
    this.#renewedSoFar.add(loop);
    if (loop.connector === 'appliances') this.#wakeRegistration();
  }

  /** The appliances' answers contain the licences to look up. New licences are looked up immediately. */
  #wakeRegistration(): void {
    if (this.#appliances.every((loop) => loop.hasAnswered())) for (const loop of this.#registration) loop.wake();
  }

  #context(signal: AbortSignal): ConnectorContext {
    const { clock, env } = this.#deps;
    return { clock, env, ownTurn: this.#ownTurn, signal };
  }

  /** Starts the loops, and wakes them on schedule. */
  #begin(loops: readonly SystemLoop<unknown>[], schedule: Schedule, wake: () => void): void {
    const { clock, onError, onLag, onMissed } = this.#deps;
    const { signal } = this.#stopping;
    if (loops.length === 0) return;
    const runner = new Runner({
      clock,
      onError,
      onLag,
      onMissed,
      triggerGap: TRIGGER_GAP,
      timer: (listener) => createSpreadTimer(schedule, clock, listener),
      run: () => {
        wake();
        return Promise.resolve();
      },
    });
    for (const [index, loop] of loops.entries()) {
      const running = loop.run(this.#context(signal), index * START_GAP, () => runner.trigger());
      this.#running.push(running.catch((error: unknown) => signal.aborted || onError(error)));
    }
    this.#runners.push(runner);
    runner.start();
  }
}

function factsOf<Fact>(loops: readonly SystemLoop<Fact>[], since = Number.NEGATIVE_INFINITY): readonly Fact[] {
  return loops.flatMap((loop) => loop.facts(since));
}

/** Causes that are based on several systems or on no particular system count only when all systems have new results. */
export function renewedCauses({ causes, preconditions }: Diagnosis, systems: Renewed['systems']): PartlyFresh['seen'] {
  const shown = preconditions.flatMap(({ id, findings }) =>
    findings.filter((finding) => systemsOf(id, finding).some((system) => systems.has(system))),
  );
  return causes.filter(({ id, subject }) =>
    shown.some((finding) => finding.suggests === id && finding.subject === subject),
  );
}

function systemsOf(precondition: string, { facts = {}, concerns = [] }: Finding): readonly string[] {
  const check = CHECKS.find(({ id }) => id === precondition);
  if (check === undefined || concerns.length > 1) return [];
  const { appliance = concerns[0], firewall, source } = facts;
  return check.sources.flatMap((id) => {
    if (id === 'appliances' && appliance !== undefined) return systemKey(id, appliance);
    return id === 'firewall' && firewall !== undefined && source !== undefined
      ? systemKey(id, flowName({ firewall, source }))
      : [];
  });
}

function systemKey(connector: ConnectorId, name: string): string {
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
