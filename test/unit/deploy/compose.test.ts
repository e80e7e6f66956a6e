import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';

interface Service {
  readonly image: string;
  readonly network_mode?: string;
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

function portIn(file: string, pattern: RegExp): string {
  return pattern.exec(readFileSync(join('deploy', file), 'utf8'))?.[1] ?? `no port in ${file}`;
}

describe('deploy/compose.yaml', () => {
  const mounts = Object.values(services).flatMap(({ volumes: own = [] }) => own.map((mount) => mount.split(':')));

  it('mounts files that are there, read-only, and declares the rest', () => {
    const binds = mounts.filter(([source = '']) => source.startsWith('.'));
    expect(binds.length).toBeGreaterThan(3);
    expect(binds.filter(([source = '', , mode]) => !existsSync(join('deploy', source)) || mode !== 'ro')).toEqual([]);
    const named = mounts.map(([source = '']) => source).filter((source) => !source.startsWith('.'));
    expect(named.toSorted()).toEqual(Object.keys(volumes));
  });

  it('opens ports on this machine only, and all of one network', () => {
    const { mail, ...others } = services;
    expect(mail?.ports?.filter((port) => !/^127\.0\.0\.1:(\d+):\1$/u.test(port))).toEqual([]);
    expect(new Set(Object.values(others).map(({ network_mode: mode, ports }) => `${mode ?? ''} ${String(ports)}`))).toEqual(
      new Set(['service:mail undefined']),
    );
  });

  it('publishes the ports that the files name', () => {
    const published = services['mail']?.ports?.map((port) => port.split(':')[1]);
    const named = [
      portIn('image/ftm-watch.yaml', /listen: 0\.0\.0\.0:(\d+)/u),
      portIn('prometheus/targets/ftm-watch.yml', /localhost:(\d+)/u),
      portIn('prometheus/prometheus.yml', /targets: \[localhost:(\d+)\]/u),
      portIn('grafana/provisioning/datasources/prometheus.yaml', /localhost:(\d+)/u),
    ];
    expect(published).toEqual(expect.arrayContaining(named));
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
