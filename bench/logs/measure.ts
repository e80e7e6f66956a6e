import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { LINES_A_BLOCK, TROUBLES_A_BLOCK } from './lines.ts';

/** A program that receives lines over TCP and finds those with errors. */
export interface Receiver {
  readonly name: string;
  readonly pid: number;
  readonly port: number;
  /** Number of lines with errors found since the start. */
  found(): Promise<number>;
  stop(): Promise<void>;
}

export interface Sample {
  readonly linesASecond: number;
  readonly cpuMicrosecondsALine: number;
  readonly rssMegabytes: number;
}

const SEND = fileURLToPath(new URL('send.ts', import.meta.url));
/** USER_HZ of Linux, the unit of /proc/PID/stat. */
const TICKS_A_SECOND = 100;

/** Sends blocks at full speed and waits until every error was found. @throws {Error} if lines were lost */
export async function measureTcp(receiver: Receiver, blocks: number): Promise<Sample> {
  const before = await receiver.found();
  const cpuBefore = cpuSeconds(receiver.pid);
  const start = performance.now();
  const sender = spawn(process.execPath, [SEND, 'tcp', String(receiver.port), String(blocks)], { stdio: 'inherit' });
  const wanted = before + blocks * TROUBLES_A_BLOCK;
  const deadline = start + 120_000;
  for (;;) {
    const found = await receiver.found();
    if (found >= wanted) break;
    if (performance.now() > deadline)
      throw new Error(`${receiver.name} found ${String(found - before)} of ${String(wanted - before)} lines`);
    await sleep(20);
  }
  const seconds = (performance.now() - start) / 1000;
  const lines = blocks * LINES_A_BLOCK;
  const cpu = cpuSeconds(receiver.pid) - cpuBefore;
  await ended(sender);
  return {
    linesASecond: lines / seconds,
    cpuMicrosecondsALine: (cpu / lines) * 1e6,
    rssMegabytes: rssMegabytes(receiver.pid),
  };
}

/** Sends datagrams at the given rate and returns the rate that was reached. */
export async function sendUdp(port: number, lines: number, aSecond: number): Promise<number> {
  const sender = spawn(process.execPath, [SEND, 'udp', String(port), String(lines), String(aSecond)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return Number(await text(sender.stdout));
}

/** User and system time used by a process. */
function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${String(pid)}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_A_SECOND;
}

function rssMegabytes(pid: number): number {
  const match = /VmRSS:\s+(\d+) kB/u.exec(readFileSync(`/proc/${String(pid)}/status`, 'utf8'));
  return Math.round(Number(match?.[1] ?? 0) / 1024);
}

export async function terminate(child: ChildProcess): Promise<void> {
  child.kill('SIGTERM');
  await ended(child);
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
}
