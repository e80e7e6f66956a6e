import { spawn } from 'node:child_process';
import { freePort } from '../../test/support/network/free-port.ts';
import { endProcess, untilItAnswers } from '../child-process.ts';
import { unitEnvironment } from '../build.ts';

/** Written as usual: the import loads all of node:http, including undici for its WebSocket. */
const CODE = `
import { createServer } from 'node:http';
createServer((_, response) => response.end('bare')).listen(Number(process.argv[1]), '127.0.0.1');
`;

/** An HTTP server that does nothing, to measure the cost of Node itself. */
export interface BareServer extends AsyncDisposable {
  readonly name: string;
  readonly pid: number;
  /** From the start of the process to its first answer. */
  readonly startedAfterMs: number;
}

export async function startBareServer(): Promise<BareServer> {
  const port = String(await freePort());
  const started = performance.now();
  const child = spawn(process.execPath, ['--input-type=module', '--eval', CODE, port], {
    env: unitEnvironment(),
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  await untilItAnswers(child, `http://127.0.0.1:${port}/`);
  return {
    name: 'an idle HTTP server in Node',
    pid: child.pid ?? 0,
    startedAfterMs: performance.now() - started,
    [Symbol.asyncDispose]: () => endProcess(child),
  };
}
