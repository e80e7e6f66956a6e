import { execFile, execFileSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type BuiltPackages, buildPackages } from '../../support/packaging/built-packages.ts';
import { describeWhere } from '../../support/process/privilege.ts';

const run = promisify(execFile);

const NEEDS = ['root', 'network-namespaces', { program: 'dpkg-deb' }, { program: 'setpriv' }] as const;
/** Debian's user "nobody", who owns no files. */
const NOBODY = 65_534;
const LIMIT = 300_000;

describeWhere(NEEDS, 'the demo in the package for Debian', () => {
  const stack = new DisposableStack();
  let packages: BuiltPackages;
  let unpacked: string;

  beforeAll(async () => {
    unpacked = mkdtempSync(join(tmpdir(), 'ftm-watch-unpacked-'));
    stack.defer(() => rmSync(unpacked, { recursive: true }));
    chmodSync(unpacked, 0o755);
    packages = stack.use(await buildPackages('.', '.deb'));
    execFileSync('dpkg-deb', ['--extract', packages.file('.deb'), unpacked]);
  }, LIMIT);

  afterAll(() => stack.dispose());

  test(
    'plays as an ordinary user, without a network and without openssl, and leaves nothing behind',
    async () => {
      const temporary = join(unpacked, 'tmp');
      mkdirSync(temporary);
      chownSync(temporary, NOBODY, NOBODY);
      const program = join(unpacked, 'usr/lib/ftm-watch');
      const user = `setpriv --reuid=${String(NOBODY)} --regid=${String(NOBODY)} --clear-groups`;
      // Without a PATH, no other programs can be found.
      const environment = `env -i PATH=/nonexistent TMPDIR=${temporary}`;
      const demo = `${program}/node ${program}/program/main.js demo --no-pause`;
      const script = `ip link set lo up && exec ${user} ${environment} ${demo}`;
      const { stdout, stderr } = await run('unshare', ['--net', 'sh', '-c', script]);

      expect(stderr).toBe('');
      expect(stdout).toContain('✓ 3 of 3 ');
      for (const cause of ['tls-intercepted', 'answer-hijacked', 'license-on-peer'])
        expect(stdout).toMatch(new RegExp(`cause +${cause} \\(confirmed\\)`, 'u'));
      expect(readdirSync(temporary)).toEqual([]);
    },
    LIMIT,
  );
});
