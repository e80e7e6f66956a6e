import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createLab, type Lab } from '../../../src/demo/lab/lab.ts';
import { CONTROL_HOSTS, LICENSE_HOST, MAIL_HOST } from '../../../src/demo/lab/site.ts';
import { startDaemonProcess } from '../../support/process/daemon-process.ts';
import { limitDescriptors } from './descriptor-limit.ts';
import type { Famine } from './port-famine.ts';
import { startHost } from '../../support/process/host.ts';
import { describeWhere } from '../../support/process/privilege.ts';
import { createSandbox } from '../../support/network/sandbox.ts';
import { summaryOf } from '../../../src/demo/daemon.ts';
import { watchRounds } from '../../support/process/round-watcher.ts';

/**
 * Returns a command prefix that resolves these names to 127.0.0.1 with the system's resolver, in a separate mount
 * namespace and without changing the process id. Needs root and the program `unshare`.
 */
async function withHosts(names: readonly string[], file: string): Promise<readonly string[]> {
  await writeFile(file, `127.0.0.1 localhost ${names.join(' ')}\n`);
  const mount = 'mount --bind "$0" /etc/hosts && exec "$@"';
  return ['unshare', '--mount', '--propagation', 'private', 'sh', '-ec', mount, file];
}

const WITHIN = 20_000;
const APPLIANCE_HOST = 'fac.example.org';

/** Configures the lab with every name resolved through the system. */
async function byName(lab: Lab): Promise<string> {
  const text = (await readFile(lab.configFile, 'utf8')).replace('https://127.0.0.1', `https://${APPLIANCE_HOST}`);
  const file = join(lab.folder, 'by-name.yaml');
  await writeFile(file, JSON.stringify({ ...(JSON.parse(text) as object), resolvers: ['system'] }));
  return file;
}

describeWhere(
  ['root', { program: 'prlimit' }, { program: 'unshare' }],
  'a daemon without a file descriptor to spare',
  () => {
    test('judges nothing rather than wrongly, alarms nobody, and goes on by itself', async () => {
      await using lab = await createLab();
      const names = [LICENSE_HOST, MAIL_HOST, APPLIANCE_HOST, ...CONTROL_HOSTS];
      const prefix = await withHosts(names, join(lab.folder, 'hosts'));
      await using daemon = startDaemonProcess({ cwd: lab.folder, args: ['-c', await byName(lab)], prefix });
      await using rounds = await watchRounds(await daemon.page());
      await rounds.next(({ ready }) => ready === 'ready', WITHIN);
      for (const more of [0, 2]) {
        const limit = await limitDescriptors(daemon.pid, more);
        await rounds.next(({ ready }) => ready === 'unknown', WITHIN);
        const starved = await rounds.more(3, WITHIN);
        limit[Symbol.dispose]();
        await rounds.next(({ ready }) => ready === 'ready', WITHIN);
        expect({ more, causes: starved.filter(({ causes }) => causes.length > 0).map(summaryOf) }).toEqual({
          more,
          causes: [],
        });
      }
      expect(lab.inbox.mails).toEqual([]);
      expect(daemon.log.filter(({ level }) => Number(level) >= 50)).toEqual([]);
      expect(await daemon.end('SIGTERM')).toMatchObject({ code: 0, stderr: '' });
    });
  },
);

describeWhere(['root', 'network-namespaces'], 'a daemon on a machine without a free port', () => {
  test('judges nothing rather than wrongly, alarms nobody, and goes on by itself', async () => {
    await using sandbox = await createSandbox();
    await using host = await startHost<null, Famine, never>(
      new URL('port-famine.ts', import.meta.url),
      null,
      sandbox.prefix,
    );
    const { starved, ...end } = host.ready;
    expect(starved.filter((summary) => !summary.startsWith('unknown, '))).toEqual([]);
    expect(starved.join('\n')).not.toContain('broken');
    expect(end).toEqual({ mails: 0, code: 0, stderr: '' });
  });
});
