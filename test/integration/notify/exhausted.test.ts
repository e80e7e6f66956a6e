import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { describeWhere } from '../../support/process/privilege.ts';

const SOURCE = new URL('../../../src/', import.meta.url).href;

/** Creates channels and threads while no file can be opened. */
const STARVED = `
  import { closeSync, openSync } from 'node:fs';
  import { createEmail } from '${SOURCE}notify/channels/email.ts';
  import { createPostingChannel } from '${SOURCE}notify/channels/http-post.ts';
  import { watchLoop } from '${SOURCE}runtime/watchdog/watch-loop.ts';
  import { systemClock } from '${SOURCE}system/clock.ts';
  import { verifyPassword } from '${SOURCE}web/password-hash.ts';
  const hash = { kind: 'bcrypt', text: '$2b$04$' + '.'.repeat(53) };
  const posting = { name: 'ops', minSeverity: 'warning', caFile: null };
  const watched = Promise.withResolvers();
  const files = [];
  try { for (;;) files.push(openSync('/dev/null')); } catch {}
  createEmail({ email: { to: [], minSeverity: 'warning' } }, {});
  createPostingChannel('slack', posting, { clock: systemClock }, () => Promise.resolve([]));
  const watch = watchLoop({
    clock: systemClock,
    env: process.env,
    logger: { error: ({ event }) => watched.resolve(event) },
    lastLine: { fd: 1, prefix: '' },
  });
  const told = [await watched.promise, await verifyPassword('secret', hash).catch(({ code }) => code)];
  watch[Symbol.dispose]();
  for (const file of files) closeSync(file);
  console.log(JSON.stringify(told));
`;

describeWhere([{ program: 'prlimit' }], 'without a file descriptor', () => {
  test('what is loaded or started beside a channel fails by itself', () => {
    const args = ['--nofile=64:64', process.execPath, '--input-type=module', '-e', STARVED];
    const { stdout, stderr } = spawnSync('prlimit', args, { encoding: 'utf8', env: { PATH: process.env['PATH'] } });
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toEqual(['watchdog-missing', 'ERR_WORKER_INIT_FAILED']);
  });
});
