import type { createColors } from 'picocolors';
import type { Severity } from '../core/severity.ts';
import type { PreconditionState } from '../engine/model.ts';

export type Colors = ReturnType<typeof createColors>;

/** The colour of each state, in the output of every command. */
export const STATE_COLORS = {
  ok: 'green',
  warning: 'yellow',
  broken: 'red',
  blocked: 'dim',
  unknown: 'yellow',
  'not-configured': 'dim',
} as const satisfies Record<PreconditionState, keyof Colors>;

export const SEVERITY_COLORS = { critical: 'red', warning: 'yellow', info: 'cyan' } as const satisfies Record<
  Severity,
  keyof Colors
>;
