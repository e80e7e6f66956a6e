import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { getaddrinfo } from '../../../src/network/lookup.ts';
import { describeWhere } from '../../support/process/privilege.ts';

const SOURCE = new URL('../../../src/network/lookup.ts', import.meta.url).href;

/** Uses up all file descriptors before the first lookup, then prints the result. */
const STARVED = `
  import { openSync } from 'node:fs';
  import { connect } from 'node:net';
  import { getaddrinfo, getaddrinfoForSockets } from '${SOURCE}';
  try { for (;;) openSync('/dev/null'); } catch {}
  const tell = ({ name, reason, code }) => console.log(name, reason ?? code);
  await getaddrinfo('localhost').catch(tell);
  connect({ host: 'localhost', port: 1, lookup: getaddrinfoForSockets }).on('error', tell);
`;

test('getaddrinfo() finds the addresses of a name', async () => {
  expect((await getaddrinfo('localhost')).map(({ address }) => address)).toContain('127.0.0.1');
});

describeWhere([{ program: 'prlimit' }], 'a process without a file descriptor', () => {
  // Listeners of network/lookup.ts: on error
  test('is told that it has none, and not that the name does not exist', () => {
    const { stdout, stderr } = spawnSync(
      'prlimit',
      ['--nofile=64:64', process.execPath, '--input-type=module', '-e', STARVED],
      { encoding: 'utf8', env: { PATH: process.env['PATH'] } },
    );
    expect({ stdout, stderr }).toEqual({ stdout: 'ProbeError internal\nProbeError internal\n', stderr: '' });
  });
});
