import type { VerdictLook } from '../checks/verdict-words.ts';
import type { Severity } from '../core/severity.ts';
import type { PreconditionState, PreconditionStatus } from '../engine/model.ts';
import type { Tone } from './document.ts';

export const STATE_TONES: Readonly<Record<PreconditionState, Tone>> = {
  ok: 'good',
  warning: 'warn',
  broken: 'bad',
  blocked: 'wait',
  unknown: 'unsure',
  'not-configured': 'none',
};

/** From most to least severe. `unknown` and `blocked` come before `warning`, because they can hide a fault. */
export const RANK: readonly PreconditionState[] = ['broken', 'blocked', 'unknown', 'warning', 'ok', 'not-configured'];

/** A state is never indicated by its colour alone. */
export function stateWord({ state, isSameFault }: Pick<PreconditionStatus, 'state' | 'isSameFault'>): string {
  return isSameFault === true ? 'Same fault' : STATE_WORDS[state];
}

export const STATE_WORDS: Readonly<Record<PreconditionState, string>> = {
  ok: 'OK',
  warning: 'Warning',
  broken: 'Broken',
  blocked: 'Skipped',
  unknown: 'Unknown',
  'not-configured': 'Not configured',
};

export const SEVERITY_TONES: Readonly<Record<Severity, Tone>> = { critical: 'bad', warning: 'warn', info: 'info' };

export const SEVERITY_WORDS: Readonly<Record<Severity, string>> = {
  critical: 'Critical',
  warning: 'Warning',
  info: 'Note',
};

export const VERDICT_TONES: Readonly<Record<VerdictLook, Tone>> = {
  ready: 'good',
  warning: 'warn',
  'not-ready': 'bad',
  unknown: 'unsure',
};
