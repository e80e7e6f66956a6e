import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { BLACKBOX } from './probes/blackbox.ts';

/** Describes the machine and the versions. Other processes distort durations, and CPU time less. */
export function describeMachine(): string {
  const [processor, ...others] = cpus();
  const system = /^PRETTY_NAME="(.*)"$/mu.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? 'Linux';
  const [, exporter = 'unknown'] =
    /version (\S+)/u.exec(execFileSync(BLACKBOX, ['--version'], { encoding: 'utf8' })) ?? [];
  return (
    `Measured on ${new Date().toISOString().slice(0, 10)} on ${processor?.model.trim() ?? 'unknown'} with ` +
    `${String(others.length + 1)} cores, ${system}, Node ${process.versions.node}, blackbox_exporter ${exporter}, ` +
    `at a load of ${(loadavg()[0] ?? 0).toFixed(1)}.`
  );
}
