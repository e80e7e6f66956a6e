import { remedyOf, ANY_SERVER, stepsWhenUnknown } from '../engine/remedy-words.ts';
import type { Cause, Diagnosis, PreconditionStatus } from '../engine/model.ts';
import { type Declaration, type StepId, STEPS } from './check.ts';
import { CHECKS } from './registry.ts';

export type StepAnswer = 'passes' | 'fails' | 'not-visible';

/** Printed by `check --steps --json`, so the JSON format must stay compatible. */
export interface ActivationStep {
  readonly id: StepId;
  readonly title: string;
  readonly answer: StepAnswer;
  readonly why: string;
  /** Empty if the step passes. */
  readonly remedy: readonly string[];
}

export interface ActivationOutlook {
  readonly answer: StepAnswer;
  readonly steps: readonly ActivationStep[];
}

/** A step fails only if one of its checks is broken, and passes only if a check has confirmed that the step works. */
export function activationOutlook(diagnosis: Diagnosis): ActivationOutlook {
  const steps = STEPS.map((plan) => stepOf(plan, diagnosis));
  if (diagnosis.ready === 'not-ready' || steps.some(({ answer }) => answer === 'fails'))
    return { answer: 'fails', steps };
  return { answer: diagnosis.ready === 'ready' ? 'passes' : 'not-visible', steps };
}

type Answer = Pick<ActivationStep, 'answer' | 'why' | 'remedy'>;

interface CheckAnswer extends Answer {
  readonly isAbsent: boolean;
}

type StepPlan = (typeof STEPS)[number];

function stepOf(plan: StepPlan, { preconditions, causes }: Diagnosis): ActivationStep {
  const says = preconditions.flatMap((status) => {
    const check = CHECKS.find(({ id }) => id === status.id);
    const own = causes.filter(({ precondition }) => precondition === status.id);
    return check === undefined ? [] : checkAnswerOf(plan, check, status, own);
  });
  const { id, title } = plan;
  const configured = says.filter(({ isAbsent }) => !isAbsent);
  const decisive =
    configured.find(({ answer }) => answer === 'fails') ?? configured.find(({ answer }) => answer === 'not-visible');
  if (decisive !== undefined) return { id, title, ...told(decisive) };
  if (configured.length === 0) return { id, title, ...uncoveredStep(plan, says) };
  return { id, title, answer: 'passes', why: sentences(configured.map(({ why }) => why)), remedy: [] };
}

function sentences(given: readonly string[]): string {
  const texts = [...new Set(given)].filter((text) => text !== '');
  return texts.map((text, index) => (index < texts.length - 1 ? withStop(text) : text)).join(' ');
}

function told({ answer, why, remedy }: CheckAnswer): Answer {
  return { answer, why, remedy };
}

function uncoveredStep({ wouldShow }: StepPlan, absent: readonly CheckAnswer[]): Answer {
  const why = sentences(absent.map((say) => say.why));
  return { answer: 'not-visible', why: why === '' ? 'No check covers this step' : why, remedy: [wouldShow] };
}

function checkAnswerOf(
  plan: StepPlan,
  check: Declaration,
  status: PreconditionStatus,
  causes: readonly Cause[],
): readonly CheckAnswer[] {
  const here = causes.filter((cause) => stepOfCause(check, cause.id) === plan.id);
  const isBroken = status.state === 'broken';
  const breaking = here.find(({ severity }) => severity === 'critical') ?? (isBroken ? here[0] : undefined);
  if (breaking !== undefined)
    return [{ answer: 'fails', why: breaking.summary, remedy: breaking.remedy, isAbsent: false }];
  if (check.step !== plan.id) return [];
  const isAbsent = status.state === 'not-configured' || (status.state === 'unknown' && !check.countsForReady);
  return [{ ...ownAnswer(check, status, causes.length > 0), isAbsent }];
}

function ownAnswer(
  check: Declaration,
  { state, summary, findings }: PreconditionStatus,
  isBrokenElsewhere: boolean,
): Answer {
  switch (state) {
    case 'ok':
    case 'warning':
      return { answer: 'passes', why: summary, remedy: [] };
    case 'broken':
      return isBrokenElsewhere
        ? { answer: 'not-visible', why: `Not reached${summary === '' ? '' : `: ${summary}`}`, remedy: [] }
        : { answer: 'fails', why: summary, remedy: [] };
    case 'unknown': {
      const { remedy } = remedyOf(stepsWhenUnknown(check, findings), ANY_SERVER);
      return { answer: 'not-visible', why: summary, remedy };
    }
    case 'blocked':
    case 'not-configured':
      return { answer: 'not-visible', why: summary, remedy: [] };
  }
}

/** Position of the step that a cause breaks. Causes that break no step come last. */
export function stepOrder({ id, precondition }: Pick<Cause, 'id' | 'precondition'>): number {
  const check = CHECKS.find((one) => one.id === precondition);
  const step = STEPS.findIndex((one) => check !== undefined && one.id === stepOfCause(check, id));
  return step < 0 ? STEPS.length : step;
}

function stepOfCause({ step, causeSteps }: Declaration, cause: string): StepId | null {
  const steps: Readonly<Record<string, StepId | undefined>> = causeSteps ?? {};
  return steps[cause] ?? step;
}

export function outlookSentence({ answer, steps }: ActivationOutlook): string {
  switch (answer) {
    case 'fails': {
      const failing = steps.find((step) => step.answer === 'fails');
      const why = failing === undefined || failing.why === '' ? '' : `: ${failing.why}`;
      const where = failing === undefined ? '' : ` at step ${String(steps.indexOf(failing) + 1)}${why}`;
      return withStop(`An activation would fail now${where}`);
    }
    case 'not-visible':
      return 'Whether an activation would succeed now is unknown, because some steps cannot be checked.';
    case 'passes': {
      const hidden = steps.filter((step) => step.answer === 'not-visible').length;
      const but =
        hidden === 0 ? '' : `, but ${String(hidden)} of ${String(steps.length)} steps cannot be checked from here`;
      return `No check found anything that would stop an activation now${but}.`;
    }
  }
}

function withStop(text: string): string {
  return text.endsWith('.') ? text : `${text}.`;
}
