import { knownCause, type CauseWords } from '../engine/model.ts';
import { UNKNOWN_CAUSE, UNKNOWN_WORDS } from '../engine/words.ts';
import { agent } from './agent/judge.ts';
import { appliance } from './appliance/judge.ts';
import { clock } from './clock/judge.ts';
import type { Declaration } from './check.ts';
import { delivery } from './delivery/judge.ts';
import { firewallPolicy } from './firewall-policy/judge.ts';
import { internet } from './internet/judge.ts';
import { licenseAssignment } from './license-assignment/judge.ts';
import { licenseServer } from './license-server/judge.ts';
import { mail } from './mail/judge.ts';
import { nameResolution } from './name-resolution/judge.ts';
import { polling } from './polling/judge.ts';
import { reachability } from './reachability/judge.ts';
import { tlsGenuine } from './tls-genuine/judge.ts';
import { tokenPool } from './token-pool/judge.ts';

/** In the order of the network path. The check of ftm-watch itself is the last one. */
const REGISTERED = [
  internet,
  nameResolution,
  reachability,
  tlsGenuine,
  licenseServer,
  mail,
  delivery,
  appliance,
  licenseAssignment,
  tokenPool,
  polling,
  firewallPolicy,
  clock,
  agent,
] as const;

type Registered = (typeof REGISTERED)[number];
type CauseOf<K> = K extends Declaration<string, infer C> ? C : never;

/** The IDs are values of a metric label. */
export type PreconditionId = Registered['id'];
export type FaultId = CauseOf<Registered>;
/** The IDs are values of a metric label. */
export type CauseId = FaultId | typeof UNKNOWN_CAUSE;

export const CHECKS: readonly (Declaration & { readonly id: PreconditionId })[] = REGISTERED;

/**
 * In the order of the checks.
 * @internal
 */
export const FAULT_IDS: readonly FaultId[] = CHECKS.flatMap(({ causes }) => Object.keys(causes)).filter(isFaultId);

export const CAUSE_IDS: readonly CauseId[] = [...FAULT_IDS, UNKNOWN_CAUSE];

export function isCauseId(text: string): text is CauseId {
  return text === UNKNOWN_CAUSE || isFaultId(text);
}

export function isFaultId(text: string): text is FaultId {
  return CHECKS.some(({ causes }) => Object.hasOwn(causes, text));
}

/** Returns the checks that have a new result if one of these sources has. */
export function checksOf(...sources: Declaration['sources']): readonly string[] {
  return CHECKS.flatMap((check) => (check.sources.some((source) => sources.includes(source)) ? [check.id] : []));
}

export function isPreconditionId(text: string): text is PreconditionId {
  return CHECKS.some(({ id }) => id === text);
}

export function titleOf(id: string): string {
  return CHECKS.find((check) => check.id === id)?.title ?? id;
}

/** Returns whether a cause concerns ftm-watch itself rather than activation. */
export function isAgentCause(cause: string): boolean {
  return CHECKS.some(({ place, causes }) => place.kind === 'agent' && Object.hasOwn(causes, cause));
}

/** @throws Error for an unknown cause */
export function wordsOf(cause: string): CauseWords {
  return cause === UNKNOWN_CAUSE ? UNKNOWN_WORDS : knownCause(CHECKS, cause).words;
}

/** @throws Error for an unknown fault */
export function preconditionOf(fault: string): string {
  return knownCause(CHECKS, fault).check.id;
}
