import { fork } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { stripTypeScriptTypes } from 'node:module';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { roundLimit } from '../../src/runtime/round/observe-round.ts';
import { CONTROL_HOSTS, LICENSE_HOST } from '../../test/lab/site.ts';
import { configOf } from '../../test/support/config-of.ts';
import { freePort } from '../../test/support/free-port.ts';
import { ask } from '../child-messages.ts';
import { endProcess } from '../child-process.ts';
import type { Site } from '../probes/site.ts';
import type { LeapOrder } from './leap.ts';

/** As it is installed: built. */
const PROGRAM = fileURLToPath(new URL('../../dist/main.js', import.meta.url));

const LEAP = new URL('leap.ts', import.meta.url);

/** The real daemon, a process of its own, started as it is installed. */
export interface OwnDaemon extends AsyncDisposable {
  readonly pid: number;
  /** Of the status page, with a slash at the end. */
  readonly url: string;
  /** From the start of the process to the first answer of `/metrics`. */
  readonly startedAfterMs: number;
  /** Lets so many rounds of its schedule happen, one after the other without a pause. */
  pass(rounds: number): Promise<void>;
}

/** Top-level keys of the configuration that are not as by default. */
type ConfigurationPart = Readonly<Record<string, unknown>>;

/**
 * Starts it with its default configuration, but that the licence server, the control hosts and the resolver are on
 * loopback.
 * @param leaps whether `pass` will be called: to load what that takes costs time and memory
 * @param program `main.js` of a build; without, of this one
 */
export async function startOwnDaemon(
  site: Site,
  leaps: boolean,
  more: ConfigurationPart = {},
  program: string = PROGRAM,
): Promise<OwnDaemon> {
  const { folder, ports, fortinetCa } = site;
  const port = await freePort();
  const url = `http://127.0.0.1:${String(port)}/`;
  const [name, store] = [`daemon-${String(port)}`, join(folder, 'data', `daemon-${String(port)}`)];
  const file = join(folder, `${name}.yaml`);
  const configuration = {
    licenseServer: { host: LICENSE_HOST, port: ports.ecdsa, expectedAddresses: ['127.0.0.1'] },
    trust: { profile: 'fortinet', caFiles: [fortinetCa], baselineFile: `${store}-baseline.json` },
    controlHosts: CONTROL_HOSTS.map((host, index) => `${host}:${String(ports.controls[index] ?? 0)}`),
    resolvers: [`udp://127.0.0.1:${String(ports.dns)}`],
    web: { listen: `127.0.0.1:${String(port)}` },
    store: { path: `${store}.sqlite` },
    ...more,
  };
  const text = JSON.stringify(configuration);
  await writeFile(file, text);
  const limit = roundLimit(await configOf(text));
  const started = performance.now();
  const child = fork(program, ['run', '--config', file], {
    cwd: folder,
    execArgv: leaps ? ['--import', leapModule()] : [],
    // As the unit and the image in deploy/ set it.
    env: { PATH: process.env['PATH'], MALLOC_ARENA_MAX: '1' },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  while (!(await answers(`${url}metrics`))) {
    if (child.exitCode !== null) throw new Error(`The daemon ended with ${String(child.exitCode)} before it answered`);
    await sleep(2);
  }
  return {
    pid: child.pid ?? 0,
    url,
    startedAfterMs: performance.now() - started,
    pass: async (rounds) => {
      await ask<string>(child, { rounds, roundLimit: limit } satisfies LeapOrder);
    },
    [Symbol.asyncDispose]: async () => {
      await endProcess(child);
      await rm(`${store}.sqlite`, { force: true });
    },
  };
}

/** As JavaScript: with the compiler for types in its memory, the daemon would not be what it is. */
function leapModule(): string {
  const code = stripTypeScriptTypes(readFileSync(LEAP, 'utf8'));
  return `data:text/javascript;base64,${Buffer.from(code).toString('base64')}`;
}

async function answers(url: string): Promise<boolean> {
  try {
    const response = await fetch(url);
    await response.arrayBuffer();
    return response.ok;
  } catch {
    return false;
  }
}
