// The whole network and the daemon on this machine: faults and repairs, told in the terminal, shown on the daemon's
// page.
import { parseArgs } from 'node:util';
import { learnTrust, startDaemon } from './daemon.ts';
import { createLab } from './lab.ts';
import { createNarrator } from './narrator.ts';
import type { Narrator } from './narrator.ts';
import { play } from './play.ts';
import { SCENARIOS, TIMELINE } from './scenarios.ts';
import type { Scenario } from './scenarios.ts';

const USAGE = `Usage: npm run demo -- [options]

  --once             play the story once without pauses and end: exit code 0 when every fault was found, named, reported and recovered
  --scenario NAME    play this one alone; may be given several times
                     ${SCENARIOS.map(({ name }) => name).join(', ')}
  --speed N          how fast to go from one step to the next, 0.1 to 100 (default: 1)
  --help             show this

Without --once it plays until Ctrl-C. Nothing leaves this machine, and nothing is left behind.
`;

interface Play {
  readonly scenarios: readonly Scenario[];
  readonly isOnce: boolean;
  readonly pauseMs: number;
}

const PAUSE_MS = 6_000;
/** As often as the quota of the registration service allows for hours. */
const UNHURRIED = { probes: '* * * * * *', appliance: '* * * * * *', registration: '*/8 * * * * *' };
const STARTING_MS = 30_000;

/** @returns null for the help @throws {Error} saying what was expected */
function readArguments(args: readonly string[]): Play | null {
  const { values } = parseArgs({
    args: [...args],
    options: {
      once: { type: 'boolean', default: false },
      scenario: { type: 'string', multiple: true, default: [] },
      speed: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return null;
  const scenarios = values.scenario.map((name) => {
    const found = SCENARIOS.find((scenario) => scenario.name === name);
    if (found !== undefined) return found;
    throw new Error(`Cannot play "${name}": expected one of ${SCENARIOS.map((scenario) => scenario.name).join(', ')}`);
  });
  const speed = Number(values.speed ?? 1);
  if (!(speed >= 0.1 && speed <= 100))
    throw new Error(`Cannot play at the speed "${String(values.speed)}": expected 0.1 to 100`);
  return {
    scenarios: scenarios.length === 0 ? TIMELINE : scenarios,
    isOnce: values.once,
    pauseMs: values.once && values.speed === undefined ? 0 : PAUSE_MS / speed,
  };
}

async function perform({ scenarios, isOnce, pauseMs }: Play, narrator: Narrator, stop: AbortSignal): Promise<boolean> {
  narrator.chapter('ftm-watch demo');
  narrator.seen(
    'A resolver, a licence server, control hosts, a firewall, mail servers and FortiAuthenticator start on 127.0.0.1',
  );
  await using lab = await createLab(isOnce ? {} : { schedule: UNHURRIED });
  await lab.remember();
  await learnTrust(lab.configFile, lab.folder);
  await using daemon = await startDaemon(lab.configFile, lab.folder);
  const gone = new AbortController();
  void daemon.ended.then(() => {
    gone.abort(new Error('The daemon has ended by itself'));
  });
  const signal = AbortSignal.any([stop, gone.signal]);
  if (daemon.syslogTcpPort !== null) lab.applianceLog.sendTo(daemon.syslogTcpPort);
  narrator.act(`The daemon runs. Its page: ${daemon.url}`);
  await daemon.diagnosis(({ ready }) => ready === 'ready', AbortSignal.any([signal, AbortSignal.timeout(STARTING_MS)]));
  narrator.good('FortiToken Mobile activation is ready');
  const outcomes: boolean[] = [];
  do {
    for (const scenario of scenarios) outcomes.push(await play(scenario, { lab, daemon, narrator, signal, pauseMs }));
  } while (!isOnce);
  return tell(outcomes, narrator);
}

function tell(outcomes: readonly boolean[], narrator: Narrator): boolean {
  const good = outcomes.filter(Boolean).length;
  narrator.chapter('The end');
  const text = `${String(good)} of ${String(outcomes.length)} faults were found, named, reported by mail and recovered`;
  if (good === outcomes.length) narrator.good(text);
  else narrator.bad(text);
  return good === outcomes.length;
}

/** @returns the exit code */
async function main(): Promise<number> {
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      // A second one means that the person does not want to wait.
      if (stop.signal.aborted) process.exit(130);
      stop.abort(new Error(`Stopped by ${signal}`));
    });
  }
  // A terminal that closes sends it several times, and what is written to it fails from then on.
  process.on('SIGHUP', () => stop.abort(new Error('The terminal was closed')));
  for (const stream of [process.stdout, process.stderr])
    stream.on('error', (error) => stop.abort(new Error('Nobody reads this any more', { cause: error })));
  try {
    const wish = readArguments(process.argv.slice(2));
    if (wish === null) {
      process.stdout.write(USAGE);
      return 0;
    }
    return (await perform(wish, createNarrator(process.stdout), stop.signal)) ? 0 : 1;
  } catch (error) {
    if (stop.signal.aborted) return 130;
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    return 1;
  }
}

process.exitCode = await main();
