import { expect } from 'vitest';
import type { PreconditionState, Cause } from '../../../src/engine/model.ts';
import type { DiagnosisJson, PreconditionJson } from '../../../src/checks/diagnosis-json.ts';
import {
  preconditionOf as preconditionOfFault,
  type FaultId,
  type PreconditionId,
} from '../../../src/checks/registry.ts';
import { faultsOfClaims } from '../checks/plain-claim.ts';
import type { Run } from './ftm-watch.ts';

/** Output and exit code of `check --json`. */
export interface CheckResult extends DiagnosisJson {
  readonly exitCode: number | null;
  readonly durationMs: number;
}

/**
 * Reads the output of `check --json`: one object and nothing else on standard output, and nothing on standard error.
 * Checks that every claim in it is plain, and that it contains the exit code.
 */
export function readCheck({ exitCode, stdout, stderr, durationMs }: Run): CheckResult {
  expect(stderr).toBe('');
  expect(stdout).toMatch(/^\{.*\}\n$/u);
  const { state, ...diagnosis } = JSON.parse(stdout) as DiagnosisJson & { readonly state: number };
  expect(state).toBe(exitCode);
  expect(faultsOfClaims(diagnosis.preconditions.flatMap(({ findings }) => findings))).toEqual([]);
  return { ...diagnosis, exitCode, durationMs };
}

/** The relevant parts of a result. */
export interface Conclusion {
  readonly exitCode: number | null;
  readonly ready: CheckResult['ready'];
  /** Severity and name of each cause. */
  readonly causes: readonly string[];
  /** Preconditions that the causes explain. */
  readonly consequences: readonly string[];
  /** Preconditions that are neither ok nor missing from the configuration. */
  readonly states: Readonly<Partial<Record<PreconditionId, PreconditionState>>>;
  /** Causes that are not actionable: without evidence, impact or remedy, or with an unfilled placeholder. */
  readonly vague: readonly string[];
}

export function conclusionOf({ exitCode, ready, causes, preconditions }: CheckResult): Conclusion {
  const unsettled = preconditions.filter(({ state }) => state !== 'ok' && state !== 'not-configured');
  return {
    exitCode,
    ready,
    causes: causes.map(({ severity, id }) => `${severity} ${id}`),
    consequences: causes.flatMap(({ consequences }) => consequences),
    states: Object.fromEntries(unsettled.map(({ id, state }) => [id, state])),
    vague: causes.filter(isVague).map(({ id }) => id),
  };
}

function isVague({ summary, impact, evidence, remedy }: Cause): boolean {
  const texts = [summary, impact, ...evidence, ...remedy];
  return (
    evidence.length === 0 ||
    remedy.length === 0 ||
    texts.some((text) => text === '' || /\{[a-z]+\}|undefined|\[object/u.test(text))
  );
}

/** All preconditions are met, and there are no causes of any severity. */
export const READY: Conclusion = { exitCode: 0, ready: 'ready', causes: [], consequences: [], states: {}, vague: [] };

/** Returns a conclusion with one critical cause. What it explains is blocked, and nothing else is broken. */
export function notReady(cause: FaultId, ...consequences: readonly PreconditionId[]): Conclusion {
  const blocked = Object.fromEntries(consequences.map((id) => [id, 'blocked']));
  const states = { [preconditionOfFault(cause)]: 'broken', ...blocked };
  return { exitCode: 2, ready: 'not-ready', causes: [`critical ${cause}`], consequences, states, vague: [] };
}

/** Returns the conclusion "ready" with one warning. */
export function readyWithWarning(cause: FaultId): Conclusion {
  return { ...READY, exitCode: 1, causes: [`warning ${cause}`], states: { [preconditionOfFault(cause)]: 'warning' } };
}

export function evidenceOf({ causes }: CheckResult): string {
  return causes.flatMap(({ evidence }) => evidence).join('\n');
}

export function remedyOf({ causes }: CheckResult): string {
  return causes.flatMap(({ remedy }) => remedy).join('\n');
}

export function preconditionOf({ preconditions }: CheckResult, id: PreconditionId): PreconditionJson {
  const found = preconditions.find((precondition) => precondition.id === id);
  if (found === undefined) throw new Error(`Cannot find the precondition "${id}" in the answer`);
  return found;
}
