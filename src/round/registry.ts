import type * as z from 'zod';
import type { EpochMs, Millis } from '../core/clock.ts';
import { appliances } from '../connectors/appliances.ts';
import { controls } from './controls.ts';
import { firewall } from '../connectors/firewall.ts';
import { log } from '../logs/intake.ts';
import { mail } from './mail-source.ts';
import { ntp } from './ntp.ts';
import { path } from './path-source.ts';
import { peers } from '../connectors/peers.ts';
import { registration } from '../connectors/registration.ts';
import type { RoundLook, RoundSource } from '../connectors/source.ts';
import { probeSamples, type ProbeSample } from '../core/round.ts';

/** Everything that looks and listens: add a source here. All else about sources is derived from this list. */
export const SOURCES = [path, controls, mail, ntp, appliances, log, registration, firewall, peers] as const;

type Listed = (typeof SOURCES)[number];
type Runs = Listed['runs'];
type OneOf<R extends Runs> = Extract<Listed, { readonly runs: R }>;

type FactsOf<S> = S extends { observe(settings: never, look: never): Promise<infer Facts> } ? Facts : never;

/** The facts of all sources that run so, by their ids. */
type FactsBy<R extends Runs> = { readonly [S in OneOf<R> as S['id']]: FactsOf<S> };

export type RoundFactsBySource = FactsBy<'round'>;

/** What is known beyond the round: FortiAuthenticator itself, its licences, the firewall in front of it. */
export type SlowFactsBySource = FactsBy<'appliance' | 'registration'>;

export type SlowSourceId = keyof SlowFactsBySource;

type LookOf<S> = S extends { observe(settings: never, look: infer Look): unknown } ? (look: Look) => void : never;
type RoundLooks = LookOf<OneOf<'round'>> extends (look: infer Look) => void ? Look : never;

/** What the sources of a round are handed, all together. */
export type RoundTools = Omit<RoundLooks, keyof RoundLook<object>>;

type SectionsIn<S> = S extends { readonly sections: infer Schemas } ? (schemas: Schemas) => void : never;
type Sections = SectionsIn<Listed> extends (schemas: infer Schemas) => void ? Schemas : never;

/** What the configuration holds for the sources. */
export type SourcesConfig = {
  readonly [Key in keyof Sections]: Sections[Key] extends z.ZodType<infer Section> ? Section : never;
};

/** The schemas of these sections. The overload says what a loop cannot: which key has which. */
export function sourceSections(): Sections;
export function sourceSections(): Readonly<Record<string, z.ZodType>> {
  return Object.fromEntries(SOURCES.flatMap(({ sections }) => Object.entries<z.ZodType>(sections)));
}

/** Those that run so. */
export function sourcesThatRun<R extends Runs>(...runs: readonly R[]): readonly OneOf<R>[];
export function sourcesThatRun(...runs: readonly Runs[]): readonly Listed[] {
  return SOURCES.filter((source) => runs.includes(source.runs));
}

/** Everything that one round saw, by the sources that saw it, before anybody judged it. */
export interface RoundObservations extends RoundFactsBySource {
  readonly startedAt: EpochMs;
  /** Our wall clock minus our monotonic clock when it began: it changes when our clock is set. */
  readonly clockBase: Millis;
  readonly durationMs: Millis;
  /** How long this process itself stood still during the round. */
  readonly stalledMs: Millis;
}

const ROUND: readonly Pick<RoundSource<string, never, unknown>, 'id' | 'runsIn'>[] = sourcesThatRun('round');

/** What metrics and history count of a round. */
export function samplesOf(round: RoundFactsBySource): readonly ProbeSample[] {
  const facts: Readonly<Record<string, unknown>> = { ...round };
  return probeSamples(ROUND.map((source) => source.runsIn(facts[source.id])));
}
