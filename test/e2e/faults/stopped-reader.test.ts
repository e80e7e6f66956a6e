import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { delimiter, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { hashSync } from 'bcryptjs';
import { expect, test } from 'vitest';

import { createLab } from '../../../src/demo/lab/lab.ts';
import { inTerminal } from '../../support/process/in-terminal.ts';
import { startDaemonProcess } from '../../support/process/daemon-process.ts';
import { describeWhere } from '../../support/process/privilege.ts';
import { until } from '../../support/time/until.ts';
import { PROGRAM } from '../../support/process/program.ts';

/** Nightly runs set `FTM_STOPPED_READER=120`: longer than the watchdog waits. */
const STOPPED_MS = 1000 * Number(process.env['FTM_STOPPED_READER'] ?? '10');
const WITHIN = 20_000;
/** A pipe has room for 64 KiB, and the daemon for 256 KiB. A line about a connection has more than 300 bytes. */
const CONNECTIONS = 2_000;
/** `O_NONBLOCK` in `/proc/PID/fdinfo/1`, in octal. */
const NON_BLOCKING = 0o4000;

/** Unlike the pipes between Node and its children, this is a pipe, and its reader can be stopped. */
const READER = 'exec "$@" > >(echo "$BASHPID" >reader.pid; exec cat)';

async function failConnections(port: number): Promise<void> {
  for (let index = 0; index < CONNECTIONS; index += 1) {
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect', { signal: AbortSignal.timeout(WITHIN) });
    socket.resetAndDestroy();
  }
}

function isNonBlocking(pid: number): boolean {
  const flags = /^flags:\s*(\d+)$/mu.exec(readFileSync(`/proc/${String(pid)}/fdinfo/1`, 'utf8'))?.[1];
  return (Number.parseInt(flags ?? '0', 8) & NON_BLOCKING) !== 0;
}

describeWhere(['linux', { program: 'bash' }, { program: 'script' }], 'a reader of the log that stops reading', () => {
  test(
    'does not delay the daemon, whichever children were started, and the lost lines are counted',
    async () => {
      await using lab = await createLab({
        log: { level: 'trace' },
        web: { listen: '127.0.0.1:0', users: [{ name: 'ann', passwordHashFile: 'ann.hash' }] },
      });
      // For a bcrypt hash, the daemon starts a thread.
      writeFileSync(join(lab.folder, 'ann.hash'), hashSync('secret', 4), { mode: 0o600 });
      writeFileSync(join(lab.folder, 'systemd-notify'), '#!/bin/sh\nexec touch notified\n', { mode: 0o755 });
      await using daemon = startDaemonProcess({
        cwd: lab.folder,
        args: ['-c', lab.configFile],
        prefix: ['bash', '-c', READER, 'bash'],
        env: { NOTIFY_SOCKET: '/run/notify', PATH: `${lab.folder}${delimiter}${process.env['PATH'] ?? ''}` },
      });
      const page = await daemon.page();
      const port = await daemon.syslogTcpPort();
      await expect.poll(() => existsSync(join(lab.folder, 'notified'))).toBe(true);
      const reader = Number(readFileSync(join(lab.folder, 'reader.pid'), 'utf8'));
      const login = { headers: { authorization: `Basic ${Buffer.from('ann:wrong').toString('base64')}` } };
      expect((await fetch(`${page}/`, login)).status).toBe(401);
      expect(isNonBlocking(daemon.pid)).toBe(true);

      process.kill(reader, 'SIGSTOP');
      const stoppedAt = performance.now();
      await failConnections(port);
      const mails = lab.inbox.mails.length;
      await lab.inspect(true);
      while (performance.now() - stoppedAt < STOPPED_MS) {
        expect((await fetch(`${page}/-/healthy`, { signal: AbortSignal.timeout(2_000) })).status).toBe(200);
        await setTimeout(1_000);
      }
      await lab.inbox.mail(
        (mail) => lab.inbox.mails.indexOf(mail) >= mails && mail.event === 'firing',
        AbortSignal.timeout(WITHIN),
      );
      process.kill(reader, 'SIGCONT');

      const { lines } = await daemon.logged('log-lines-dropped');
      expect(lines).toBeGreaterThan(100);
      expect(isNonBlocking(daemon.pid)).toBe(true);
      expect(await daemon.end('SIGTERM')).toMatchObject({ code: 0, stderr: '' });
    },
    60_000 + STOPPED_MS,
  );

  test('does not delay a daemon in a terminal, whose output Ctrl-S stops', async () => {
    await using lab = await createLab({ log: { level: 'trace' } });
    const [command, ...rest] = [...inTerminal(80), process.execPath, PROGRAM, 'run', '-c', lab.configFile];
    const terminal = spawn(command, rest, { cwd: lab.folder, stdio: ['pipe', 'pipe', 'inherit'] });
    const ended = once(terminal, 'close');
    try {
      let log = '';
      terminal.stdout.setEncoding('utf8').on('data', (text: string) => {
        log += text;
      });
      const found = await until(
        () =>
          Promise.resolve({
            port: /tcp=\{[^}]*"port":(\d+)/u.exec(log)?.[1],
            page: /status page {2}url=(\S+)/u.exec(log)?.[1],
          }),
        ({ port, page }) => port !== undefined && page !== undefined,
        WITHIN,
      );
      terminal.kill('SIGSTOP');
      await failConnections(Number(found.port));
      expect((await fetch(`${String(found.page)}-/healthy`, { signal: AbortSignal.timeout(2_000) })).status).toBe(200);
      terminal.kill('SIGCONT');
      await until(
        () => Promise.resolve(log),
        (text) => text.split('debug: ').length > CONNECTIONS,
        WITHIN,
      );
    } finally {
      // Ctrl-C ends the daemon before its folder is removed.
      terminal.kill('SIGCONT');
      terminal.stdin.write('\u0003');
      await ended;
    }
  }, 60_000);
});
