import { expect } from 'vitest';
import type { PreconditionState, Cause } from '../../src/engine/model.ts';
import type { DiagnosisJson, PreconditionJson } from '../../src/engine/diagnosis-json.ts';
import { preconditionOf as preconditionOfFault, type FaultId, type PreconditionId } from '../../src/checks/registry.ts';
import { faultsOfClaims } from './plain-claim.ts';
import type { Run } from './ftm-watch.ts';

/** What `check --json` said, and how it ended. */
export interface CheckResult extends DiagnosisJson {
  readonly exitCode: number | null;
  readonly durationMs: number;
}

/**
 * Reads the answer of `check --json`: one object on standard output, nothing else there and nothing on standard error. Every claim in
 * it is plain.
 */
export function readCheck({ exitCode, stdout, stderr, durationMs }: Run): CheckResult {
  expect(stderr).toBe('');
  expect(stdout).toMatch(/^\{.*\}\n$/u);
  const diagnosis = JSON.parse(stdout) as DiagnosisJson;
  expect(faultsOfClaims(diagnosis.preconditions.flatMap(({ findings }) => findings))).toEqual([]);
  return { ...diagnosis, exitCode, durationMs };
}

/** What counts in an answer. */
export interface Conclusion {
  readonly exitCode: number | null;
  readonly ready: CheckResult['ready'];
  /** Severity and name of each. */
  readonly causes: readonly string[];
  /** What the causes say that they explain. */
  readonly consequences: readonly string[];
  /** What is neither ok nor left out of the configuration. */
  readonly states: Readonly<Partial<Record<PreconditionId, PreconditionState>>>;
  /** Causes that nobody could act on: without evidence, impact or remedy, or with a text that was not filled in. */
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

/** Everything is in place, and there is not one cause of any severity. */
export const READY: Conclusion = { exitCode: 0, ready: 'ready', causes: [], consequences: [], states: {}, vague: [] };

/** One critical cause and no other; what it explains is blocked, and nothing else is broken. */
export function notReady(cause: FaultId, ...consequences: readonly PreconditionId[]): Conclusion {
  const blocked = Object.fromEntries(consequences.map((id) => [id, 'blocked']));
  const states = { [preconditionOfFault(cause)]: 'broken', ...blocked };
  return { exitCode: 2, ready: 'not-ready', causes: [`critical ${cause}`], consequences, states, vague: [] };
}

/** Ready, but one thing is worth a look. */
export function readyWithWarning(cause: FaultId): Conclusion {
  return { ...READY, exitCode: 1, causes: [`warning ${cause}`], states: { [preconditionOfFault(cause)]: 'warning' } };
}

/** The evidence of all causes, as one text. */
export function evidenceOf({ causes }: CheckResult): string {
  return causes.flatMap(({ evidence }) => evidence).join('\n');
}

/** The remedies of all causes, as one text. */
export function remedyOf({ causes }: CheckResult): string {
  return causes.flatMap(({ remedy }) => remedy).join('\n');
}

export function preconditionOf({ preconditions }: CheckResult, id: PreconditionId): PreconditionJson {
  const found = preconditions.find((precondition) => precondition.id === id);
  if (found === undefined) throw new Error(`Cannot find the precondition "${id}" in the answer`);
  return found;
}
