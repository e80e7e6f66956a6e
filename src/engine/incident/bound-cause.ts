import type { Cause } from '../cause.ts';
import { visibleText } from '../../core/visible-text.ts';
import { type RemedyStep, sentenceStep } from '../remedy.ts';

const MAX_LINE = 500;
const MAX_NAME = 256;
const MAX_LINES = 12;
const MAX_BLOCK_LINES = 60;

/**
 * A cause small enough to be kept and mailed. Its texts quote log lines, host names and certificates of strangers: each
 * becomes one visible line of bounded length, and their number is bounded too.
 */
export function boundCause(cause: Cause): Cause {
  return {
    ...cause,
    subject: visibleText(cause.subject, MAX_NAME),
    product: cause.product === null ? null : visibleText(cause.product, MAX_NAME),
    summary: visibleText(cause.summary, MAX_LINE),
    impact: visibleText(cause.impact, MAX_LINE),
    evidence: boundLines(cause.evidence),
    consequences: cause.consequences.slice(0, MAX_LINES),
    remedy: boundLines(cause.remedy),
    remedySteps: boundSteps(cause.remedySteps),
  };
}

function boundSteps(steps: readonly RemedyStep[]): readonly RemedyStep[] {
  const kept = steps.slice(0, MAX_LINES).map(boundStep);
  const more = steps.length - kept.length;
  return more > 0 ? [...kept, sentenceStep(moreText(more))] : kept;
}

/** A block is kept whole or not at all: half of it would be run as well. */
function boundStep(step: RemedyStep): RemedyStep {
  const text = visibleText(step.text, MAX_LINE);
  const isFit = [step.commands ?? '', step.undo ?? ''].every(isFitBlock);
  return isFit ? { ...step, text } : sentenceStep(text);
}

function isFitBlock(block: string): boolean {
  const lines = block.split('\n');
  return lines.length <= MAX_BLOCK_LINES && lines.every((line) => visibleText(line, MAX_LINE) === line);
}

function moreText(more: number): string {
  return `… and ${String(more)} more`;
}

function boundLines(lines: readonly string[]): readonly string[] {
  const kept = lines.slice(0, MAX_LINES).map((line) => visibleText(line, MAX_LINE));
  const more = lines.length - kept.length;
  return more > 0 ? [...kept, moreText(more)] : kept;
}
