import { promisify } from 'node:util';

/**
 * Loaded into the daemon before its own code (`node --import`), as libfaketime is loaded into other programs. Between
 * two rounds, time jumps to the next pending timer, so that days of rounds pass in minutes. Within a round, time is
 * real. No part of the daemon is replaced: its own schedule starts each round.
 *
 * A round is in progress while a timer of exactly its limit runs. Each message contains the number of rounds and the
 * length of that limit, and is answered when the rounds are done.
 */
export interface LeapOrder {
  readonly rounds: number;
  readonly roundLimit: number;
}

interface Waiting {
  readonly due: number;
  readonly call: () => void;
}

type Timer = NodeJS.Timeout;

const realTime = { now: Date.now, elapsed: performance.now.bind(performance), set: setTimeout, clear: clearTimeout };
const turn = promisify(setImmediate);
const pause = promisify(setTimeout);
const waiting = new Map<Timer, Waiting>();
let ahead = 0;
let wanted = 0;
let roundLimit = Number.NaN;
let round: Timer | null = null;

function elapsed(): number {
  return realTime.elapsed() + ahead;
}

function setTimer(callback: (...args: unknown[]) => void, delay = 0, ...args: unknown[]): Timer {
  const call = (): void => {
    waiting.delete(timer);
    callback(...args);
  };
  const timer: Timer = realTime.set(call, delay);
  waiting.set(timer, { due: elapsed() + delay, call });
  if (delay === roundLimit) round = timer;
  return timer;
}

function clearTimer(timer: Timer | undefined): void {
  if (timer === undefined) return;
  waiting.delete(timer);
  realTime.clear(timer);
  if (timer === round) endRound();
}

function endRound(): void {
  round = null;
  // Between two orders, the daemon continues in real time.
  if (wanted === 0) return;
  wanted -= 1;
  void (wanted > 0 ? leap() : settled().then(() => process.send?.('done')));
}

/** The results of a round are published and stored in the turns that follow. Writing files takes real time. */
async function settled(): Promise<void> {
  for (let quiet = 0; quiet < 2; quiet = isAtFiles() ? 0 : quiet + 1) await pause(1);
}

function isAtFiles(): boolean {
  return process.getActiveResourcesInfo().some((resource) => resource.startsWith('FSReq') || resource === 'CloseReq');
}

/** Runs the pending timers in order, jumping to the time of each, until one of them has started a round. */
async function leap(): Promise<void> {
  await settled();
  while (round === null) {
    const [timer, next] = earliest();
    if (timer === null) throw new Error('Nothing waits: no round will ever come');
    ahead += Math.max(0, next.due - elapsed());
    realTime.clear(timer);
    next.call();
    // Work started by a timer may take one turn of the event loop to begin.
    await turn();
  }
}

function earliest(): readonly [Timer, Waiting] | readonly [null, null] {
  let first: readonly [Timer, Waiting] | null = null;
  for (const entry of waiting) if (first === null || entry[1].due < first[1].due) first = entry;
  return first ?? [null, null];
}

class LeapingDate extends Date {
  constructor(...args: readonly [] | readonly [string | number | Date]) {
    super(...((args.length === 0 ? [LeapingDate.now()] : args) as [number]));
  }

  static override now(): number {
    return realTime.now() + Math.round(ahead);
  }
}

Object.defineProperties(setTimer, Object.getOwnPropertyDescriptors(realTime.set));
Object.assign(globalThis, { setTimeout: setTimer, clearTimeout: clearTimer, Date: LeapingDate });
performance.now = elapsed;

process.on('message', (order: LeapOrder) => {
  wanted = order.rounds;
  roundLimit = order.roundLimit;
  void leap();
});
// The parent process is gone, so nothing else would end this one.
process.once('disconnect', () => process.exit());
