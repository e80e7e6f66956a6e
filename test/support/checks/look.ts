import type { Clock } from '../../../src/core/clock.ts';
import { createInstruments, type RoundTools, roundTools } from '../../../src/round/instruments.ts';
import { systemClock } from '../../../src/system/clock.ts';
import { configOf } from '../config/config-of.ts';

interface LookOptions {
  /** @default the real clock */
  readonly clock?: Clock;
  /** @default never aborted */
  readonly signal?: AbortSignal;
}

/** Returns the instruments of a configuration, as in a round. */
export async function lookUnder(text: string, options: LookOptions = {}): Promise<RoundTools> {
  const { clock = systemClock, signal = new AbortController().signal } = options;
  return roundTools(await createInstruments(await configOf(text), { clock, env: {} }), signal);
}
