import { fork } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { stripTypeScriptTypes } from 'node:module';
import { join } from 'node:path';
import { roundLimit } from '../../src/round/round.ts';
import { CONTROL_HOSTS, LICENSE_HOST } from '../../src/demo/lab/site.ts';
import { configOf } from '../../test/support/config/config-of.ts';
import { freePort } from '../../test/support/network/free-port.ts';
import type { Build } from '../build.ts';
import { ask } from '../child-messages.ts';
import { endProcess, untilItAnswers } from '../child-process.ts';
import type { Site } from '../probes/site.ts';
import type { LeapOrder } from './leap.ts';

const LEAP = new URL('leap.ts', import.meta.url);

/** The real daemon in a separate process, started as it is when installed. */
export interface OwnDaemon extends AsyncDisposable {
  /** Of its build. */
  readonly name: string;
  readonly pid: number;
  /** From the start of the process to the first answer of `/metrics`. */
  readonly startedAfterMs: number;
  /** Lets this many scheduled rounds run, one after the other without a pause. */
  pass(rounds: number): Promise<void>;
}

/** Top-level keys of the configuration that differ from the default. */
type ConfigurationPart = Readonly<Record<string, unknown>>;

/**
 * Starts the daemon with its default configuration, except that the licence server, the control hosts and the
 * resolver are on loopback.
 * @param leaps whether `pass` will be called; loading the code for it costs time and memory
 */
export async function startOwnDaemon(
  site: Site,
  { name, program, environment }: Build,
  leaps: boolean,
  more: ConfigurationPart = {},
): Promise<OwnDaemon> {
  const port = await freePort();
  const { file, text, store } = await writeConfiguration(site, port, more);
  const limit = roundLimit(await configOf(text));
  const started = performance.now();
  const child = fork(program, ['run', '--config', file], {
    cwd: site.folder,
    execArgv: leaps ? ['--import', leapModule()] : [],
    env: environment,
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  await untilItAnswers(child, `http://127.0.0.1:${String(port)}/metrics`);
  return {
    name,
    pid: child.pid ?? 0,
    startedAfterMs: performance.now() - started,
    pass: async (rounds) => {
      await ask<string>(child, { rounds, roundLimit: limit } satisfies LeapOrder);
    },
    [Symbol.asyncDispose]: async () => {
      await endProcess(child);
      await rm(store, { force: true });
    },
  };
}

/** Starts the daemons of several builds, one after the other. */
export async function startOwnDaemons(
  site: Site,
  builds: readonly Build[],
  leaps: boolean,
  more: ConfigurationPart = {},
): Promise<AsyncDisposable & { readonly all: readonly OwnDaemon[] }> {
  await using stack = new AsyncDisposableStack();
  const all: OwnDaemon[] = [];
  for (const build of builds) all.push(stack.use(await startOwnDaemon(site, build, leaps, more)));
  const owned = stack.move();
  return { all, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

interface Written {
  readonly file: string;
  readonly text: string;
  readonly store: string;
}

/** Writes the default configuration, except that everything monitored is on loopback. */
export async function writeConfiguration(site: Site, port: number, more: ConfigurationPart = {}): Promise<Written> {
  const { folder, ports, fortinetCa } = site;
  const base = join(folder, 'data', `daemon-${String(port)}`);
  const [file, store] = [join(folder, `daemon-${String(port)}.yaml`), `${base}.sqlite`];
  const configuration = {
    licenseServer: { host: LICENSE_HOST, port: ports.license, expectedAddresses: ['127.0.0.1'] },
    trust: { profile: 'fortinet', caFiles: [fortinetCa], baselineFile: `${base}-baseline.json` },
    controlHosts: CONTROL_HOSTS.map((host, index) => `${host}:${String(ports.controls[index] ?? 0)}`),
    resolvers: [`udp://127.0.0.1:${String(ports.dns)}`],
    web: { listen: `127.0.0.1:${String(port)}` },
    store: { path: store },
    ...more,
  };
  const text = JSON.stringify(configuration);
  await writeFile(file, text);
  return { file, text, store };
}

/**
 * Returns the module as JavaScript. With the TypeScript compiler in its memory, the daemon's figures would be wrong.
 */
function leapModule(): string {
  const code = stripTypeScriptTypes(readFileSync(LEAP, 'utf8'));
  return `data:text/javascript;base64,${Buffer.from(code).toString('base64')}`;
}
