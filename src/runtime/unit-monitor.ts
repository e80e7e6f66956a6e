import { CHECKS } from '../checks/registry.ts';
import type { Config } from '../config/config.ts';
import type { Millis } from '../core/clock.ts';
import { firewallUnit } from '../core/license/firewall.ts';
import type { Diagnosis, Finding } from '../engine/model.ts';
import type { PartlyFresh } from '../engine/incident/round-view.ts';
import type { ConnectorContext } from '../network/rest/json-exchange.ts';
import { periodOf, createSpreadTimer, type Schedule } from '../schedule/cron-timer.ts';
import { discardIfStalled } from '../schedule/stall-monitor.ts';
import { Runner, type RunnerOptions } from '../schedule/runner.ts';
import { startApart } from '../schedule/start-apart.ts';
import { type SlowFactsBySource, type SlowSourceId, sourcesThatRun } from '../round/registry.ts';
import type { SlowUnit, Watch } from '../connectors/source.ts';
import { oneATurn } from '../system/clock.ts';
import { type AnySlowSource, configuredSources, type SlowTools, unseenPicture } from './slow-sources.ts';

export interface UnitMonitorDeps
  extends Omit<ConnectorContext, 'signal' | 'ownTurn'>,
    Pick<RunnerOptions, 'onError' | 'onLag' | 'onMissed'>,
    Pick<SlowTools, 'budget' | 'pendingTokens' | 'firmwareFacts'> {}

const TRIGGER_GAP: Millis = 60_000;
/** Each unit costs a TLS handshake of this machine. */
const GAP: Millis = 16;

/** What is asked by itself: one of several units of a source, or a source as a whole. */
interface Part extends SlowUnit<SlowTools> {
  readonly source: AnySlowSource;
}

interface Answer {
  readonly fact: unknown;
  /** When it was asked for, on the monotonic clock. */
  readonly began: Millis;
}

/** What was asked again since the last round. */
export interface Renewed extends Pick<PartlyFresh, 'gone'> {
  /** Preconditions that are judged by a source whose units were all asked again. */
  readonly preconditions: readonly string[];
  /** Names of the units, each behind the id of its source. */
  readonly units: ReadonlySet<string>;
}

/** Asks the slow sources on their own schedules, each unit by itself, and keeps what they said last. */
export class UnitMonitor {
  readonly #config: Config;
  readonly #deps: UnitMonitorDeps;
  readonly #parts: ReadonlyMap<AnySlowSource, readonly Part[]>;
  readonly #watches: readonly Watch[];
  readonly #answers = new Map<Part, Answer>();
  readonly #asking = new Map<Part, { readonly began: Millis; readonly done: Promise<boolean> }>();
  /** Those whose answers are not all there yet. */
  readonly #runs = new Set<Promise<void>>();
  /** Their turn comes soon. */
  readonly #queued = new Set<Part>();
  /** Asked again since the last round. */
  readonly #renewed = new Set<Part>();
  /** Asked again since all of their source were. */
  readonly #renewedSoFar = new Set<Part>();
  readonly #ownTurn = oneATurn();
  /** Settles when all that is on the schedule of the appliances was asked for the first time. */
  readonly #firstLook = Promise.withResolvers<undefined>();
  #picture: SlowFactsBySource;

  constructor(config: Config, deps: UnitMonitorDeps) {
    this.#config = config;
    this.#deps = deps;
    this.#picture = unseenPicture(config);
    this.#parts = new Map(configuredSources(config).map((source) => [source, partsOf(source, config)]));
    this.#watches = [...this.#together('appliance'), ...this.#together('registration'), ...this.#alone()];
  }

  start(): void {
    if (this.#onScheduleOf('appliance').length === 0) this.#firstLook.resolve(undefined);
    for (const watch of this.#watches) watch.start();
  }

  async stop(): Promise<void> {
    this.#firstLook.resolve(undefined);
    await Promise.all(this.#watches.map((watch) => watch.stop()));
    await Promise.all([...this.#runs, ...[...this.#asking.values()].map(({ done }) => done)]);
  }

  picture(): SlowFactsBySource {
    return this.#picture;
  }

  /** The same without answers that were asked for before then, of sources that have something to stand for one. */
  pictureSince(began: Millis): SlowFactsBySource {
    const facts = [...this.#parts.keys()].map((source) => [source.id, this.#factsOf(source, began)] as const);
    const picture: object = Object.fromEntries(facts);
    return { ...this.#picture, ...picture };
  }

  /**
   * Asks all units of one source that are not being asked already since then: what they said on their schedule may be
   * older than a fault of the path. Resolves when all have answered; never rejects.
   */
  async askNow(id: SlowSourceId, since: Millis, signal: AbortSignal): Promise<void> {
    const parts = [...this.#parts].flatMap(([source, all]) => (source.id === id ? all : []));
    await Promise.all(
      parts.map((part) => {
        const asking = this.#asking.get(part);
        return asking !== undefined && asking.began >= since ? asking.done : this.#ask(part, signal);
      }),
    );
  }

  /** What was asked again since the last call. */
  drainRenewed(): Renewed {
    const units = new Set([...this.#renewed].map(({ source, name }) => unitKey(source.id, name)));
    const whole: string[] = [];
    const byAndBy: string[] = [];
    for (const [{ id }, parts] of this.#parts) {
      if (!parts.every((part) => this.#renewedSoFar.has(part))) continue;
      (parts.every((part) => this.#renewed.has(part)) ? whole : byAndBy).push(id);
      for (const part of parts) this.#renewedSoFar.delete(part);
    }
    this.#renewed.clear();
    return { preconditions: judgedBy(whole), gone: judgedBy(byAndBy), units };
  }

  /** Asks those that are not being asked, each when its turn comes. False: this process stalled meanwhile. */
  async #askAll(parts: readonly Part[], signal: AbortSignal): Promise<boolean> {
    const idle = parts.filter((part) => !this.#asking.has(part) && !this.#queued.has(part));
    for (const part of idle) this.#queued.add(part);
    const seen = await startApart(idle, { clock: this.#deps.clock, signal, gap: GAP }, (part) => {
      this.#queued.delete(part);
      return this.#ask(part, signal);
    });
    return !seen.includes(false);
  }

  /** False: this process stalled meanwhile. */
  #ask(part: Part, signal: AbortSignal): Promise<boolean> {
    const asking = { began: this.#deps.clock.elapsed(), done: this.#look(part, signal) };
    this.#asking.set(part, asking);
    void asking.done.then(() => {
      if (this.#asking.get(part) === asking) this.#asking.delete(part);
    });
    return asking.done;
  }

  async #look(part: Part, signal: AbortSignal): Promise<boolean> {
    const { clock, env } = this.#deps;
    const began = clock.elapsed();
    const asked = part.ask({ ...this.#tools(), clock, env, ownTurn: this.#ownTurn, signal });
    const look = await discardIfStalled(clock, asked);
    if (look !== null && !signal.aborted) this.#keep(part, { fact: look.seen, began });
    return look !== null;
  }

  #keep(part: Part, answer: Answer): void {
    // One that was asked for earlier and comes later says nothing new.
    if ((this.#answers.get(part)?.began ?? answer.began) > answer.began) return;
    this.#answers.set(part, answer);
    this.#renewed.add(part);
    this.#renewedSoFar.add(part);
    const picture: object = { [part.source.id]: this.#factsOf(part.source) };
    this.#picture = { ...this.#picture, ...picture };
    for (const watch of this.#watches) watch.toolsChanged?.();
  }

  /** @param since answers that were asked for before do not count, where something stands for them */
  #factsOf(source: AnySlowSource, since: Millis = Number.NEGATIVE_INFINITY): unknown {
    const parts = this.#parts.get(source) ?? [];
    const unseen = source.unseen(this.#config);
    const [whole] = parts;
    if (source.units === undefined) return (whole && this.#answers.get(whole)?.fact) ?? unseen;
    const unseenUnits: readonly unknown[] = Array.isArray(unseen) ? unseen : [];
    const facts = parts.map((part, index): unknown => {
      const answer = this.#answers.get(part);
      if (part.unanswered !== undefined && (answer?.began ?? Number.NEGATIVE_INFINITY) < since) return part.unanswered;
      return answer === undefined ? unseenUnits[index] : answer.fact;
    });
    return facts.filter((fact) => fact !== undefined);
  }

  #tools(): SlowTools {
    const { budget, pendingTokens, firmwareFacts } = this.#deps;
    return { ...this.#picture, budget, pendingTokens, firmwareFacts };
  }

  /** Those that are asked by this schedule alone. */
  #onScheduleOf(runs: AnySlowSource['runs']): readonly Part[] {
    return [...this.#parts].flatMap(([source, parts]) =>
      source.runs === runs && source.watch === undefined ? parts : [],
    );
  }

  /** They are asked at the same times. No run waits for its answers: the next one asks those that have answered. */
  #together(runs: AnySlowSource['runs']): readonly Watch[] {
    const parts = this.#onScheduleOf(runs);
    if (parts.length === 0) return [];
    let isFirst = true;
    const ask = async (signal: AbortSignal): Promise<void> => {
      const isFirstLook = runs === 'appliance' && isFirst;
      isFirst = false;
      const isSeen = await this.#askAll(parts, signal);
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
    const runner = new Runner({ ...this.#optionsFor(runs), run });
    return [runner];
  }

  /** Those that say themselves when they are asked. */
  #alone(): readonly Watch[] {
    return [...this.#parts].flatMap(([source, [whole]]): Watch | [] => {
      if (whole === undefined || source.watch === undefined) return [];
      const period = periodOf(scheduleOf(this.#config, source.runs).expression);
      const tools = (): Promise<SlowTools> => this.#firstLook.promise.then(() => this.#tools());
      const onSeen = (fact: unknown): void => this.#keep(whole, { fact, began: this.#deps.clock.elapsed() });
      const context = { env: this.#deps.env, ownTurn: this.#ownTurn };
      return source.watch(this.#config, { ...this.#optionsFor(source.runs), ...context, period, tools, onSeen });
    });
  }

  #optionsFor(runs: AnySlowSource['runs']): Omit<RunnerOptions, 'run'> {
    const { clock, onError, onLag, onMissed } = this.#deps;
    const timer: RunnerOptions['timer'] = (listener) =>
      createSpreadTimer(scheduleOf(this.#config, runs), clock, listener);
    return { clock, onError, onLag, onMissed, triggerGap: TRIGGER_GAP, timer };
  }
}

/**
 * The causes of a diagnosis that rest on one of these units. What rests on several, or on none that it names, counts
 * only when all were asked again.
 */
export function renewedCauses({ causes, preconditions }: Diagnosis, units: Renewed['units']): PartlyFresh['seen'] {
  const shown = preconditions.flatMap(({ id, findings }) =>
    findings.filter((finding) => unitsOf(id, finding).some((unit) => units.has(unit))),
  );
  return causes.filter(({ id, subject }) =>
    shown.some((finding) => finding.suggests === id && finding.subject === subject),
  );
}

/** The one that a finding of this check rests on; none when there are several, or it is not known. */
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

function unitKey(source: string, name: string): string {
  return `${source} ${name}`;
}

function partsOf(source: AnySlowSource, config: Config): readonly Part[] {
  const whole: SlowUnit<SlowTools> = { name: source.id, ask: (look) => source.observe(config, look) };
  return (source.units?.(config) ?? [whole]).map((unit) => ({ ...unit, source }));
}

/** The preconditions that are judged by what one of these sources said. */
function judgedBy(sources: readonly string[]): readonly string[] {
  return CHECKS.flatMap((check) =>
    check.from === 'units' && check.sources.some((source) => sources.includes(source)) ? [check.id] : [],
  );
}

function scheduleOf({ schedule, site }: Config, runs: AnySlowSource['runs']): Schedule {
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
