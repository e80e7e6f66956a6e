/**
 * Log lines per second and CPU per line: the intake compared with rsyslog and mtail, with the same lines, in
 * alternating rounds of one run. Exits with code 1 if a claim does not hold. The two other programs come from
 * Debian's packages, through bench/logs/fetch-peers.sh or installed.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { LINES_A_BLOCK } from './lines.ts';
import type { Receiver, Sample } from './measure.ts';
import { measureTcp, sendUdp } from './measure.ts';
import type { OwnReceiver } from './receivers.ts';
import { startMtail, startOwn, startRsyslog } from './receivers.ts';

const ROUNDS = 3;
const BLOCKS = 1000;
const UDP_LINES = 200_000;
const UDP_RATE = 100_000;

const problems: string[] = [];
const print = (text: string): void => {
  process.stdout.write(`${text}\n`);
};

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
const spread = (values: readonly number[], digits: number): string =>
  `${median(values).toFixed(digits)} (${Math.min(...values).toFixed(digits)}–${Math.max(...values).toFixed(digits)})`;

async function compareTcp(receivers: readonly Receiver[]): Promise<ReadonlyMap<string, readonly Sample[]>> {
  const samples = new Map<string, Sample[]>(receivers.map(({ name }) => [name, []]));
  // One warm-up round, then alternating rounds, so that load on the machine affects all of them.
  for (let round = 0; round <= ROUNDS; round += 1) {
    for (const receiver of receivers) {
      const sample = await measureTcp(receiver, round === 0 ? BLOCKS / 10 : BLOCKS);
      if (round > 0) samples.get(receiver.name)?.push(sample);
    }
  }
  return samples;
}

function report(samples: ReadonlyMap<string, readonly Sample[]>): void {
  print(
    `\n| TCP, ${String(BLOCKS * LINES_A_BLOCK)} lines a round ` +
      '| lines/s, thousands | CPU µs/line | RSS MiB |\n|---|---|---|---|',
  );
  for (const [name, of] of samples) {
    const rate = spread(
      of.map(({ linesASecond }) => linesASecond / 1000),
      0,
    );
    const cpu = spread(
      of.map(({ cpuMicrosecondsALine }) => cpuMicrosecondsALine),
      2,
    );
    print(`| ${name} | ${rate} | ${cpu} | ${String(median(of.map(({ rssMegabytes }) => rssMegabytes)))} |`);
  }
}

function judge(samples: ReadonlyMap<string, readonly Sample[]>): void {
  const of = (name: string, pick: (sample: Sample) => number): number => median((samples.get(name) ?? []).map(pick));
  const rate = (name: string): number => of(name, ({ linesASecond }) => linesASecond);
  const cpu = (name: string): number => of(name, ({ cpuMicrosecondsALine }) => cpuMicrosecondsALine);
  if (samples.has('rsyslog') && rate('ftm-watch') < rate('rsyslog')) problems.push('fewer lines a second than rsyslog');
  if (samples.has('mtail') && cpu('ftm-watch') > cpu('mtail') / 4)
    problems.push("more than a quarter of mtail's CPU a line");
}

async function tryUdp(own: OwnReceiver): Promise<void> {
  const before = (await own.counters()).udp;
  const reached = await sendUdp(own.udpPort, UDP_LINES, UDP_RATE);
  // Long enough for the intake to have read the kernel's drop counter.
  await sleep(6000);
  const { udp, stall } = await own.counters();
  const received = udp.ftm + udp.other - before.ftm - before.other;
  print(
    `\nUDP: ${String(received)} of ${String(UDP_LINES)} lines received at ${String(reached)} lines/s; ` +
      `${String(udp.dropped)} dropped by the kernel`,
  );
  print(`Longest delay of a timer meanwhile: ${stall.toFixed(0)} ms`);
  if (received < UDP_LINES) problems.push(`${String(UDP_LINES - received)} lines lost over UDP`);
}

const folder = await mkdtemp(join(tmpdir(), 'bench-logs-'));
const own = await startOwn();
const peers = [await startRsyslog(folder), await startMtail(folder)].filter((peer) => peer !== null);
try {
  print(
    `Node ${process.version} on ${cpus()[0]?.model ?? 'an unknown processor'}, ${String(cpus().length)} cores; ` +
      `${String(ROUNDS)} rounds`,
  );
  if (peers.length < 2)
    print(
      'rsyslog or mtail is missing: run bench/logs/fetch-peers.sh, or install the Debian packages "rsyslog" and ' +
        '"mtail"',
    );
  const samples = await compareTcp([own, ...peers]);
  report(samples);
  print(`\nLongest delay of a timer during the flood: ${(await own.counters()).stall.toFixed(0)} ms`);
  judge(samples);
  await tryUdp(own);
} finally {
  await Promise.all([own, ...peers].map((receiver) => receiver.stop()));
  await rm(folder, { recursive: true, force: true });
}
for (const problem of problems) print(`NOT MET: ${problem}`);
if (problems.length > 0) process.exitCode = 1;
