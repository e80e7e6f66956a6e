import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** What a hosted module has started. */
export interface Hosted<Ready, Request> {
  readonly ready: Ready;
  answer?(request: Request): unknown;
}

/**
 * The function `host` of a module that runs in a separate process. The module imports nothing of vitest.
 * @param stack is disposed of when the process ends
 */
export type HostFunction<Settings, Ready, Request> = (
  settings: Settings,
  stack: AsyncDisposableStack,
) => Promise<Hosted<Ready, Request>>;

/** A separate process, which ends on disposal. */
export interface Host<Ready, Request> extends AsyncDisposable {
  readonly ready: Ready;
  /** One request at a time. Everything is sent as JSON. */
  ask(request: Request): Promise<unknown>;
}

const RUNNER = fileURLToPath(new URL('host-runner.ts', import.meta.url));

/**
 * Runs the function `host` of a module in a separate process.
 * @param module URL of the module
 * @param prefix a command that starts another command, for example in a network namespace
 */
export async function startHost<Settings, Ready, Request>(
  module: URL,
  settings: Settings,
  prefix: readonly string[] = [],
): Promise<Host<Ready, Request>> {
  const [execPath, ...execArgv] = [...prefix, process.execPath];
  const { PATH, TZ, FTM_WATCH_PROGRAM } = process.env;
  const env = { PATH, TZ, FTM_WATCH_PROGRAM };
  const child = fork(RUNNER, [module.href], { execPath, execArgv, env, stdio: 'inherit' });
  const ended = once(child, 'exit').then(([code]: readonly unknown[]) => {
    throw new Error(`The process with ${module.pathname} ended with ${String(code)}`);
  });
  ended.catch(() => undefined);
  const reply = (): Promise<unknown> =>
    Promise.race([once(child, 'message').then(([message]: readonly unknown[]) => message), ended]);
  let last = reply();
  child.send({ settings });
  const ready = (await last) as Ready;
  return {
    ready,
    ask: (request) => {
      last = last.then(() => {
        child.send({ request });
        return reply();
      });
      return last;
    },
    [Symbol.asyncDispose]: async () => {
      if (child.connected) child.disconnect();
      await ended.catch(() => undefined);
    },
  };
}
