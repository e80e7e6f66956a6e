import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { RunOptions } from '../../support/process/ftm-watch.ts';
import { createSandbox, type Sandbox } from '../../support/network/sandbox.ts';

/** A machine with the package's user and folders, but without a running service. */
export interface ServiceMachine extends AsyncDisposable {
  readonly sandbox: Sandbox;
  /** Options for starting a program on it. */
  readonly on: Pick<RunOptions, 'cwd' | 'prefix'>;
  /** Writes a file owned by root. @param mode as in `chmod` */
  write(path: string, content: string | Buffer, mode?: number): void;
}

const USER = 'ftm-watch:x:64123:64123::/var/lib/ftm-watch:/usr/sbin/nologin';

const FOLDERS = `
copy=$(mktemp --directory)
mount -t tmpfs none "$copy"
cp --archive /etc/. "$copy"
mount --bind "$copy" /etc
mount -t tmpfs none /run
mount -t tmpfs none /var/lib
echo '${USER}' >>/etc/passwd
echo 'ftm-watch:x:64123:' >>/etc/group
rm --recursive --force /etc/ftm-watch
mkdir --mode=0755 /etc/ftm-watch
mkdir --mode=0750 /etc/ftm-watch/secrets /var/lib/ftm-watch
chown :ftm-watch /etc/ftm-watch/secrets
chown ftm-watch:ftm-watch /var/lib/ftm-watch
`;

/** Uses separate namespaces, including `/etc`, `/run` and `/var/lib`. Needs root. */
export async function createServiceMachine(): Promise<ServiceMachine> {
  await using stack = new AsyncDisposableStack();
  const sandbox = stack.use(await createSandbox());
  sandbox.sh(FOLDERS);
  const owned = stack.move();
  return {
    sandbox,
    on: { cwd: '/', prefix: sandbox.prefix },
    write: (path, content, mode = 0o644) => {
      const there = `/proc/${String(sandbox.pid)}/root${path}`;
      mkdirSync(dirname(there), { recursive: true });
      writeFileSync(there, content);
      chmodSync(there, mode);
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
