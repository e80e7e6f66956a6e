import { setImmediate } from 'node:timers/promises';
import type { Config } from '../../../src/config/config.ts';
import type { Millis } from '../../../src/core/clock.ts';
import type { RoundResult } from '../../../src/checks/round-result.ts';
import { factsOf, needsAnotherRound } from '../../../src/round/facts.ts';
import { createInstruments } from '../../../src/round/instruments.ts';
import { observeRound } from '../../../src/round/round.ts';
import { Runner } from '../../../src/system/runner.ts';
import { deservesAnotherRound } from '../../../src/runtime/monitor.ts';
import { conclude } from '../../../src/checks/conclude.ts';
import { handClock } from '../../support/time/hand-clock.ts';
import { wallTimer } from '../../support/time/wall-timer.ts';
import { picture } from '../../support/checks/observed.ts';

/**
 * Runs the rounds of the default schedule with real connections, under a clock that advances on its own, so that
 * hours pass in seconds.
 */
export interface RoundsByHand extends Disposable {
  /** Returns the number of rounds so far. */
  count(): number;
  /** Lets the given time pass. */
  run(time: Millis): Promise<void>;
}

export interface RoundsByHandOptions {
  /** FortiAuthenticator logs a failed connection every second. */
  readonly complains?: boolean;
}

const PERIOD: Millis = 30_000;
/**
 * During a round, time advances by this much with each turn of the event loop. Servers in this process answer within
 * a few turns.
 */
const A_TURN: Millis = 5;
const SECOND: Millis = 1_000;

export async function startRoundsByHand(
  config: Config,
  { complains = false }: RoundsByHandOptions = {},
): Promise<RoundsByHand> {
  // Test certificates are created by the real clock.
  const clock = handClock(Math.ceil(Date.now() / PERIOD) * PERIOD);
  const instruments = await createInstruments(config, { clock, env: {} });
  const errors: unknown[] = [];
  let last: RoundResult | null = null;
  let rounds = 0;
  let underWay = false;

  async function round(signal: AbortSignal): Promise<void> {
    const wishes = {
      mailServers: Promise.resolve([]),
      codeLife: Promise.resolve(null),
      onProgress: () => undefined,
      isComplained: complains,
      complainedAt: complains ? clock.now() : null,
    };
    const observations = await observeRound(instruments, wishes, signal);
    const facts = factsOf(instruments, observations);
    const unheard = { kind: 'unheard', reason: '', isTrouble: false } as const;
    const { diagnosis } = conclude({ config, round: facts, picture: picture() }, unheard);
    const before = last;
    last = { observations, targets: facts.targets, diagnosis };
    rounds += 1;
    if (needsAnotherRound(instruments) || deservesAnotherRound(before, last)) runner.trigger();
  }

  const runner: Runner = new Runner({
    clock,
    timer: (listener) => wallTimer(clock, PERIOD, listener),
    run: async (signal) => {
      underWay = true;
      await round(signal).finally(() => {
        underWay = false;
      });
    },
    triggerGap: 3_000,
    onError: (error) => errors.push(error),
    onLag: () => undefined,
    onMissed: () => undefined,
  });
  runner.start();

  return {
    count: () => rounds,
    run: async (time) => {
      for (const end = clock.elapsed() + time; clock.elapsed() < end; ) {
        if (underWay) {
          await setImmediate();
          clock.advance(A_TURN);
          continue;
        }
        if (complains) runner.trigger();
        clock.advance(SECOND);
        await setImmediate();
      }
      if (errors.length > 0) throw new Error('A round failed', { cause: errors[0] });
    },
    [Symbol.dispose]: () => {
      void runner.stop();
    },
  };
}
