import type * as z from 'zod';
import type { HostPort } from '../core/addresses.ts';
import type { Millis } from '../core/clock.ts';
import type { ProbeRuns, ProbeTarget } from '../core/round.ts';
import type { ProbeContext } from '../network/context.ts';
import type { ConnectorContext } from '../network/rest/json-exchange.ts';
import type { RunnerOptions } from '../schedule/runner.ts';

/** The schemas of the keys that a source has in the configuration: what they hold is `Sections`. */
type SchemasOf<Sections> = { readonly [Key in keyof Sections]: z.ZodType<Sections[Key]> };

/** What all have. `Settings` is what a source wants to know of the configuration: its own sections and others. */
interface Source<Id extends string, Sections, Settings, Facts> {
  /** The key of its facts. */
  readonly id: Id;
  readonly sections: SchemasOf<Sections>;
  readonly metrics?: SourceMetrics<Facts, Settings>;
}

/**
 * What looks with every round. `Tools` is what it is handed besides its settings, `Others` what it wants to know of
 * other sources before it looks again.
 */
export interface RoundSource<Id extends string, Sections, Facts, Tools = object, Settings = Sections, Others = object>
  extends Source<Id, Sections, Settings, Facts> {
  readonly runs: 'round';
  /** Everything that it will look at: its series exist from the start. */
  targets(settings: Settings): readonly ProbeTarget[];
  /** Never rejects: what failed is a fact, and what the time was too short for is `aborted`. */
  observe(settings: Settings, look: RoundLook<Tools>): Promise<Facts>;
  /** What deserves it is looked at again when all sources have looked once. Never rejects. */
  lookAgain?(settings: Settings, look: RoundLook<Tools>, first: FirstLook<Facts, Others>): Promise<Facts>;
  /** What metrics and history count. */
  runsIn(facts: Facts): ProbeRuns;
}

interface FirstLook<Facts, Others> {
  readonly own: Facts;
  readonly others: Others;
}

/** What a source has of the round that it looks with. */
export type RoundLook<Tools> = Tools & {
  readonly ctx: ProbeContext;
  /** How long this process itself stood still in the round until now. */
  stalledMs(): Millis;
  /** Looks at once, and tells who waits what is looked at. */
  now<R>(host: HostPort, look: () => Promise<R>): Promise<R>;
  /** The same for each, one after the other. The results are in the order of `hosts`. */
  each<T extends HostPort, R>(hosts: readonly T[], look: (host: T) => Promise<R>): Promise<readonly R[]>;
};

/** What is asked on a slower schedule of its own: one of the configuration. */
export interface SlowSource<Id extends string, Sections, Facts, Tools = object, Settings = Sections>
  extends Source<Id, Sections, Settings, Facts> {
  readonly runs: 'appliance' | 'registration';
  isConfigured(settings: Settings): boolean;
  /** What is known before it was asked. */
  unseen(settings: Settings): Facts;
  /** Never rejects. */
  observe(settings: Settings, look: SlowLook<Tools>): Promise<Facts>;
  /** Those that it asks, where they are several: one that answers late holds up no other. Its facts are a list. */
  units?(settings: Settings): readonly SlowUnit<Tools>[];
  /** How the daemon asks it, where its schedule alone is not enough. */
  watch?(settings: Settings, deps: WatchDeps<Facts, Tools>): Watch;
}

/** One of several that are asked the same. */
export interface SlowUnit<Tools, Fact = unknown> {
  /** Tells it from the others of its source. */
  readonly name: string;
  /** Never rejects. */
  ask(look: SlowLook<Tools>): Promise<Fact>;
  /** Stands for its answer while that is older than what it would decide. */
  readonly unanswered?: Fact;
}

type SlowLook<Tools> = Tools & ConnectorContext;

export interface WatchDeps<Facts, Tools> extends Omit<ConnectorContext, 'signal'>, Omit<RunnerOptions, 'run'> {
  /** From one time of the schedule to the next. */
  readonly period: Millis;
  /** Settles when those whose facts are among the tools have been asked. */
  readonly tools: () => Promise<Tools>;
  readonly onSeen: (facts: Facts) => void;
}

/** Asks again and again. */
export interface Watch {
  start(): void;
  stop(): Promise<void>;
  /** Other sources have new facts: its tools may give it something to ask for. */
  toolsChanged?(): void;
}

/** What listens all the time. */
export interface ListeningSource<Id extends string, Sections, Facts, Deps, Settings, Ear extends Listening<Facts>>
  extends Source<Id, Sections, Settings, Facts> {
  readonly runs: 'always';
  listen(settings: Settings, deps: Deps): Ear;
}

export interface Listening<Facts> {
  /** @throws {Error} when a port cannot be bound */
  start(): Promise<void>;
  stop(): Promise<void>;
  /** What was heard until now. */
  facts(): Facts;
}

/** A gauge of a source. Its labels are closed sets: text from the network never becomes a label. */
export interface GaugeDefinition {
  /** A part of the contract. */
  readonly name: string;
  readonly help: string;
  readonly labels: readonly string[];
  /** A value stays until a newer one takes its place; without, it is gone as soon as the facts do not tell it. */
  readonly stays?: true;
}

export interface Reading {
  readonly gauge: GaugeDefinition;
  readonly labels: Readonly<Record<string, string>>;
  /** null: not known. */
  readonly value: number | null;
}

/** How the facts of a source become metrics. */
export interface SourceMetrics<Facts, Settings> {
  readonly gauges: readonly GaugeDefinition[];
  readings(facts: Facts, settings: Settings): readonly Reading[];
}
