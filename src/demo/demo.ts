import { rmSync } from 'node:fs';
import type { Clock, Millis } from '../core/clock.ts';
import { deadline } from '../system/clock.ts';
import { learnTrust, startDaemon } from './daemon.ts';
import { createLab } from './lab/lab.ts';
import { createNarrator } from './narrator.ts';
import type { Narrator } from './narrator.ts';
import { play } from './play.ts';
import { SCENARIOS, TIMELINE } from './scenarios.ts';
import type { Scenario } from './scenarios.ts';

export interface DemoOptions {
  /** Names of the faults to play, in this order; if empty, the three of the story. */
  readonly faults: readonly string[];
  /** Speed factor for the pauses between steps; null: without pauses. */
  readonly speed: number | null;
  /** Repeats the play until it is stopped. */
  readonly isEndless: boolean;
}

/** Environment of the demo. */
export interface DemoHost {
  /** `main.js` or `main.ts` of the program to run. */
  readonly main: string;
  readonly output: { write(text: string): unknown };
  readonly style: { readonly color: boolean; readonly width: number };
  readonly clock: Clock;
  /** Ends the demo. */
  readonly signal: AbortSignal;
}

/** 128 plus the number of SIGINT, as shells report it. */
const STOPPED = 130;
const PAUSE: Millis = 6_000;
/** A schedule with which the registration service's quota lasts for hours. */
const UNHURRIED = { probes: '* * * * * *', appliance: '* * * * * *', registration: '*/8 * * * * *' };
const STARTING: Millis = 30_000;

/**
 * `ftm-watch demo` simulates a site on 127.0.0.1, starts the real daemon for it, breaks and repairs the site, and
 * shows what the daemon reports. It leaves nothing behind, however it ends.
 *
 * @returns the exit code: 0 if each fault was found, reported and resolved, 1 if not, 130 if it was stopped
 * @throws {Error} if a fault is unknown, or a part of the demo cannot start
 */
export async function demo(options: DemoOptions, host: DemoHost): Promise<number> {
  const scenarios = options.faults.length === 0 ? TIMELINE : options.faults.map(scenarioNamed);
  const narrator = createNarrator(host.output, host.style, host.clock);
  try {
    const outcomes = await perform(scenarios, options, host, narrator);
    return summarize(outcomes, narrator) ? 0 : 1;
  } catch (error) {
    if (!host.signal.aborted) throw error;
    narrator.seen('Stopped. Everything that was started has ended, and its files are deleted.');
    return STOPPED;
  }
}

function scenarioNamed(name: string): Scenario {
  const found = SCENARIOS.find((scenario) => scenario.name === name);
  if (found !== undefined) return found;
  throw new Error(`Cannot play "${name}": expected one of ${SCENARIOS.map((scenario) => scenario.name).join(', ')}`);
}

async function perform(
  scenarios: readonly Scenario[],
  { speed, isEndless }: DemoOptions,
  { main, clock, signal: stop }: DemoHost,
  narrator: Narrator,
): Promise<readonly boolean[]> {
  narrator.chapter('ftm-watch demo');
  narrator.seen('Simulating a site on 127.0.0.1: FortiAuthenticator, a FortiGate, a DNS resolver and a mail server.');
  narrator.seen('The licence server of FortiToken Mobile and the licence registration are simulated as well.');
  if (!isEndless) narrator.seen('Nothing leaves this machine. The demo ends on its own; Ctrl-C stops it.');
  else narrator.seen('Nothing leaves this machine. Ctrl-C stops the demo.');
  await using lab = await createLab(isEndless ? { schedule: UNHURRIED } : {});
  const pids: number[] = [];
  using _cleared = clearedOnExit(lab.folder, pids);
  stop.throwIfAborted();
  narrator.act('Learning the certificates of the licence server, as "ftm-watch trust learn" does.');
  await learnTrust(lab.configFile, lab.folder, main);
  stop.throwIfAborted();
  narrator.act('Starting "ftm-watch run".');
  await using daemon = await startDaemon(lab.configFile, lab.folder, main);
  pids.push(daemon.pid);
  const ended = new AbortController();
  void daemon.ended.then(() => {
    pids.length = 0;
    ended.abort(new Error('The daemon ended unexpectedly'));
  });
  const signal = AbortSignal.any([stop, ended.signal]);
  if (daemon.syslogTcpPort !== null) lab.applianceLog.sendTo(daemon.syslogTcpPort);
  using starting = deadline(clock, STARTING, signal);
  await daemon.diagnosis(({ ready }) => ready === 'ready', starting.signal);
  narrator.good('It checks the site each second, and every check passes: users can activate their tokens.');
  narrator.detail('page', `${daemon.url} shows the same in a browser while the demo runs`);
  const stage = { lab, daemon, narrator, clock, signal, pause: speed === null ? 0 : PAUSE / speed };
  const outcomes: boolean[] = [];
  do {
    for (const [index, scenario] of scenarios.entries()) {
      narrator.chapter(`Fault ${String(index + 1)} of ${String(scenarios.length)}: ${scenario.title}`);
      outcomes.push(await play(scenario, stage));
    }
  } while (isEndless);
  return outcomes;
}

/**
 * Kills and deletes what would be left if the process exited before the demo, either after a second Ctrl-C or because
 * the reader of the output is gone.
 */
function clearedOnExit(folder: string, pids: readonly number[]): Disposable {
  const clear = (): void => {
    for (const pid of pids) process.kill(pid, 'SIGKILL');
    // Files that the processes were just writing may still appear.
    rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 20 });
  };
  process.once('exit', clear);
  return {
    [Symbol.dispose]: () => {
      process.off('exit', clear);
    },
  };
}

function summarize(outcomes: readonly boolean[], narrator: Narrator): boolean {
  const good = outcomes.filter(Boolean).length;
  const isGood = good === outcomes.length;
  narrator.chapter('The end');
  const text = `${String(good)} of ${String(outcomes.length)} faults were found, reported by email and resolved.`;
  if (isGood) narrator.good(text);
  else narrator.bad(text);
  narrator.seen('Everything that was started has ended, and its files are deleted.');
  narrator.detail('next', '"ftm-watch init" writes a first configuration for your own site.');
  return isGood;
}
