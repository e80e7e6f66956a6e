import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';
import { BLACKBOX } from './probes/blackbox.ts';

/** The machine and the versions used for the measurement. */
export interface Machine {
  readonly at: string;
  readonly processor: string;
  readonly cores: number;
  readonly memoryGigabytes: number;
  readonly system: string;
  readonly node: string;
  readonly openssl: string;
  readonly blackbox: string;
  /** Load average of the minute before. Other processes distort durations, and CPU time less. */
  readonly loadBefore: number;
}

export function describeMachine(): Machine {
  const processors = cpus();
  return {
    at: new Date().toISOString().slice(0, 10),
    processor: processors[0]?.model.trim() ?? 'unknown',
    cores: processors.length,
    memoryGigabytes: Math.round(totalmem() / 2 ** 30),
    system: `${distribution()}, Linux ${release()}`,
    node: process.versions.node,
    openssl: process.versions.openssl,
    blackbox: blackboxVersion(),
    loadBefore: Number(readFileSync('/proc/loadavg', 'utf8').split(' ')[0]),
  };
}

function distribution(): string {
  const text = readFileSync('/etc/os-release', 'utf8');
  return /^PRETTY_NAME="(.*)"$/mu.exec(text)?.[1] ?? 'Linux';
}

function blackboxVersion(): string {
  const text = execFileSync(BLACKBOX, ['--version'], { encoding: 'utf8' });
  const [, version, go] = /version (\S+).*go version:\s+(\S+)/su.exec(text) ?? [];
  return `${version ?? 'unknown'} (${go ?? 'unknown'})`;
}
