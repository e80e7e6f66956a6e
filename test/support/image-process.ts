import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Image } from './image.ts';

/** The program of an image, run as the image says. */
export interface ImageProcess extends AsyncDisposable {
  /** What it said so far, line by line. */
  readonly lines: readonly string[];
  /** Resolves with the exit code; null: a signal ended it. */
  readonly ended: Promise<number | null>;
  kill(signal: NodeJS.Signals): void;
}

const USER = { uid: 1000, gid: 1000 } as const;
/** Everything is read-only, as with `docker run --read-only`, except for the volume; `$@` is the command. */
const READ_ONLY = `
  mount --make-rprivate /
  mount --bind "$ROOT" "$ROOT" && mount --bind "$ROOT/var/lib/ftm-watch" "$ROOT/var/lib/ftm-watch"
  mount -o remount,bind,ro "$ROOT" && mount -o remount,bind,ro /
  cd "$WORKDIR" && exec setpriv --reuid=${String(USER.uid)} --regid=${String(USER.gid)} --clear-groups --no-new-privs "$@"
`;

/** Starts a command of the image, as its user, on a read-only file system, until it ends or is killed. Needs root. */
export function startInImage({ root, workdir }: Image, args: readonly string[]): ImageProcess {
  const child = spawn('unshare', ['--mount', 'sh', '-ec', READ_ONLY, 'sh', process.execPath, ...args], {
    env: { PATH: process.env['PATH'], TZ: process.env['TZ'], NODE_ENV: 'production', ROOT: root, WORKDIR: workdir },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const lines: string[] = [];
  for (const stream of [child.stdout, child.stderr]) createInterface(stream).on('line', (line) => lines.push(line));
  const ended = once(child, 'close').then(([code]: readonly (number | null)[]) => code ?? null);
  return {
    lines,
    ended,
    kill: (signal) => child.kill(signal),
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGKILL');
      await ended;
    },
  };
}
