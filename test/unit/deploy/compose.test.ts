import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';

interface Service {
  readonly image: string;
  readonly network_mode?: string;
  readonly networks?: unknown;
  readonly environment?: Readonly<Record<string, string>>;
  readonly read_only?: boolean;
  readonly cap_drop?: readonly string[];
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
}

interface Compose {
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes: Readonly<Record<string, null>>;
}

const { services, volumes } = parse(readFileSync('deploy/compose.yaml', 'utf8')) as Compose;

/** Returns the first group of a pattern in a file. */
function found(file: string, pattern: RegExp): string {
  return pattern.exec(readFileSync(join('deploy', file), 'utf8'))?.[1] ?? `nothing in ${file}`;
}

/** Addresses by which the services reach each other, as `service:port`. */
const CALLED = {
  'ftm-watch': found('prometheus/targets/ftm-watch.yml', /targets: \[(\S+)\]/u),
  alertmanager: found('prometheus/prometheus.yml', /targets: \[(\S+)\]/u),
  prometheus: found('grafana/provisioning/datasources/prometheus.yaml', /url: http:\/\/(\S+)/u),
  mail: found('alertmanager/alertmanager.yml', /smtp_smarthost: (\S+)/u),
};

describe('deploy/compose.yaml', () => {
  const mounts = Object.values(services).flatMap(({ volumes: own = [] }) => own.map((mount) => mount.split(':')));

  it('mounts files that are there, read-only, and declares the rest', () => {
    const binds = mounts.filter(([source = '']) => source.startsWith('.'));
    expect(binds.length).toBeGreaterThan(3);
    expect(binds.filter(([source = '', , mode]) => !existsSync(join('deploy', source)) || mode !== 'ro')).toEqual([]);
    const named = mounts.map(([source = '']) => source).filter((source) => !source.startsWith('.'));
    expect(named.toSorted()).toEqual(Object.keys(volumes));
  });

  it('opens ports on this machine only', () => {
    const ports = Object.values(services).flatMap(({ ports: own = [] }) => own);
    expect(ports).toHaveLength(5);
    expect(ports.filter((port) => !/^127\.0\.0\.1:(\d+):\1$/u.test(port))).toEqual([]);
  });

  it('has one network for all, which outlives each of them, in which they call each other by their names', () => {
    const own = Object.values(services).flatMap(({ network_mode: mode, networks }) => [mode, networks]);
    expect(own.filter((value) => value !== undefined)).toEqual([]);
    for (const [name, address] of Object.entries(CALLED)) {
      expect(services).toHaveProperty([name]);
      expect(address).toMatch(new RegExp(`^${name}:\\d+$`, 'u'));
    }
    // The mail server must listen on all addresses. Otherwise, the other services could not reach it.
    expect(`mail${services['mail']?.environment?.['MP_SMTP_BIND_ADDR']?.replace(/^0\.0\.0\.0/u, '') ?? ''}`).toBe(
      CALLED.mail,
    );
    expect(`ftm-watch:${found('image/ftm-watch.yaml', /listen: 0\.0\.0\.0:(\d+)/u)}`).toBe(CALLED['ftm-watch']);
  });

  it('names no other machine in the files that it mounts', () => {
    const files = mounts
      .filter(([source = '']) => source.startsWith('.'))
      .map(([source = '']) => join('deploy', source));
    const texts = files
      .flatMap((folder) => readdirSync(folder, { recursive: true, withFileTypes: true }))
      .filter((entry) => entry.isFile() && /\.ya?ml$/u.test(entry.name))
      .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'utf8').replaceAll(/^\s*#.*$/gmu, ''));
    expect(texts.length).toBeGreaterThan(5);
    expect(texts.flatMap((text) => text.match(/(?:localhost|127\.0\.0\.1|\[::1\]):\d+/gu) ?? [])).toEqual([]);
  });

  it('names the same site in the agent and in the targets', () => {
    const site = /^site: (.*)$/mu.exec(readFileSync('deploy/image/ftm-watch.yaml', 'utf8'))?.[1];
    expect(readFileSync('deploy/prometheus/targets/ftm-watch.yml', 'utf8')).toContain(`site: ${site ?? 'none'}\n`);
  });

  it('runs the agent without rights, and images of a fixed version', () => {
    expect(services['ftm-watch']).toMatchObject({ read_only: true, cap_drop: ['ALL'] });
    const foreign = Object.values(services).map(({ image }) => image);
    expect(foreign.filter((image) => image !== 'ftm-watch' && !/:v?\d+\.\d+/u.test(image))).toEqual([]);
  });
});
