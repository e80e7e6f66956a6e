import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { once } from 'node:events';
import { afterAll, expect, test } from 'vitest';
import { createDaemonBench, costliestAnswer } from '../../support/process/daemon-bench.ts';
import { sendLines, valueIn } from '../../support/process/daemon-process.ts';
import { TROUBLE } from '../../support/logs/intake-bench.ts';
import { describeWhere } from '../../support/process/privilege.ts';
import { until } from '../../support/time/until.ts';
import { memoryOf } from '../../../bench/process-figures.ts';

const LIMIT_MS = 20_000;
const MEBIBYTE = 1024 * 1024;
const SECRET_WORD = 'nobody-may-label-me';

const site = await createDaemonBench();
afterAll(() => site[Symbol.asyncDispose]());

async function dial(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  // The daemon closes the connections of abusive senders.
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return socket;
}

/** Writes as fast as the other side reads, until it closes the connection or everything is written. */
async function pour(socket: Socket, chunk: Uint8Array, times: number): Promise<void> {
  for (let index = 0; index < times && socket.writable; index += 1) {
    await new Promise<void>((resolve) => {
      socket.write(chunk, () => {
        resolve();
      });
    });
  }
  socket.end();
}

describeWhere(['linux'], 'a daemon that takes log lines', () => {
  test('senders that do their worst cost neither memory nor rounds nor a label', async () => {
    await site.configure({
      schedule: { probes: '* * * * * *' },
      logs: { syslog: { udp: '127.0.0.1:0', tcp: '127.0.0.1:0' } },
    });
    await using daemon = site.startProcess();
    const { tcp } = (await daemon.logged('log-listening')) as unknown as {
      readonly tcp: { readonly port: number };
    };
    await until(
      () => daemon.status(),
      (status) => status !== null,
      LIMIT_MS,
    );
    const runs = `ftm_probe_runs_total{probe="tcp",target="license.example.test:${String(site.port)}"}`;
    const base = {
      at: performance.now(),
      runs: await daemon.value(runs),
      memory: memoryOf(daemon.pid).resident,
    };

    const waiting = await Promise.all(Array.from({ length: 1000 }, () => dial(tcp.port)));
    for (const socket of waiting) socket.write('<12>a line that does not end yet');
    const noise = Buffer.alloc(64 * 1024 - 1, `\u0000\u001B[2J"\r{}${SECRET_WORD}`);
    const broken = Buffer.concat([Buffer.from([0xff, 0xfe, 0xc0]), noise, Buffer.from('\n')]);
    let done = false;
    const flood = Promise.all([
      pour(await dial(tcp.port), Buffer.alloc(MEBIBYTE, 'x'), 100),
      pour(await dial(tcp.port), broken, 500),
      pour(await dial(tcp.port), Buffer.from(`${TROUBLE}\n`.repeat(1000)), 200),
      sendLines(
        await daemon.syslogPort(),
        Array.from({ length: 20_000 }, () => TROUBLE),
      ),
    ]).finally(() => {
      done = true;
    });
    let most = 0;
    const costliest = await costliestAnswer(
      daemon,
      () =>
        daemon.read('metrics').then(() => {
          most = Math.max(most, memoryOf(daemon.pid).resident);
        }),
      () => done,
    );
    await flood;

    const lines = (metrics: string, source: string, result: string): number =>
      valueIn(metrics, `ftm_log_lines_total{source="${source}",result="${result}"}`);
    // No line is lost over TCP. Over UDP, each line was accepted or is counted as dropped.
    const after = await until(
      () => daemon.read('metrics'),
      (metrics) =>
        lines(metrics, 'tcp', 'ftm') === 200_000 &&
        lines(metrics, 'udp', 'ftm') + lines(metrics, 'udp', 'dropped') === 20_000,
      LIMIT_MS,
    );
    const seconds = (performance.now() - base.at) / 1000;
    // The broken lines, and the received part of the one that does not end.
    expect(lines(after, 'tcp', 'unparsed')).toBeGreaterThanOrEqual(500);
    expect(valueIn(after, runs) - base.runs).toBeGreaterThanOrEqual(Math.floor(seconds / 2) - 2);
    expect(costliest).toBeLessThan(2_000);
    expect(most - base.memory).toBeLessThan(150);
    expect(after).not.toContain(SECRET_WORD);
    for (const socket of waiting) socket.destroy();
  });
});
