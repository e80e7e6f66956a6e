import type { Severity } from '../../core/severity.ts';
import type { PreconditionState } from '../../engine/precondition-state.ts';
import type { Readiness } from '../../engine/diagnosis.ts';
import { type Markup, markup } from './markup.ts';

/** How a state looks: one tone has one colour and one sign, wherever it appears. */
export type Tone = 'good' | 'warn' | 'bad' | 'wait' | 'unsure' | 'none' | 'info';

export const STATE_TONES: Readonly<Record<PreconditionState, Tone>> = {
  ok: 'good',
  warning: 'warn',
  broken: 'bad',
  blocked: 'wait',
  unknown: 'unsure',
  'not-configured': 'none',
};

/** Never the colour alone: the word stands beside it. */
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

export const READINESS_TONES: Readonly<Record<Readiness, Tone>> = {
  ready: 'good',
  'not-ready': 'bad',
  unknown: 'unsure',
};

export const READINESS_WORDS: Readonly<Record<Readiness, string>> = {
  ready: 'Ready',
  'not-ready': 'Not ready',
  unknown: 'Unknown',
};

/** The sign of a tone: decoration, since the word says the same. */
export function sign(tone: Tone): Markup {
  return markup`<svg class="sign ${tone}" aria-hidden="true" viewBox="0 0 16 16"><use href="#sign-${tone}"/></svg>`;
}

/** Sign and word. */
export function badge(tone: Tone, word: string): Markup {
  return markup`<span class="badge ${tone}">${sign(tone)}${word}</span>`;
}

/** What `sign` refers to: once a page. */
export const SIGN_SHEET: Markup = markup`<svg class="sheet" aria-hidden="true" width="0" height="0"><defs>
<symbol id="sign-good" viewBox="0 0 16 16"><path d="M3.5 8.5l3 3 6-7"/></symbol>
<symbol id="sign-warn" viewBox="0 0 16 16"><path d="M8 3.2v5.8M8 12.4v.2"/></symbol>
<symbol id="sign-bad" viewBox="0 0 16 16"><path d="M4 4l8 8M12 4l-8 8"/></symbol>
<symbol id="sign-wait" viewBox="0 0 16 16"><path d="M5.5 4v8M10.5 4v8"/></symbol>
<symbol id="sign-unsure" viewBox="0 0 16 16">
<path d="M5.4 5.8a2.6 2.6 0 1 1 3.9 2.4c-.9.5-1.3 1-1.3 1.9M8 12.8v.2"/></symbol>
<symbol id="sign-none" viewBox="0 0 16 16"><path d="M4.5 8h7"/></symbol>
<symbol id="sign-info" viewBox="0 0 16 16"><path d="M8 7v5.4M8 3.6v.2"/></symbol>
</defs></svg>`;
