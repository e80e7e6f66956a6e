import { execFileSync } from 'node:child_process';

const GENERATOR = '/usr/libexec/podman/quadlet';

/** The settings of a unit: values by section and key, in order. */
export interface GeneratedUnit {
  values(section: string, key: string): readonly string[];
}

/** Returns the units that podman's own systemd generator creates from a folder, by name. @throws if it rejects one */
export function generatedUnits(folder: string): ReadonlyMap<string, GeneratedUnit> {
  const env = { ...process.env, QUADLET_UNIT_DIRS: folder };
  const text = execFileSync(GENERATOR, ['-dryrun'], { env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  const [, ...parts] = text.split(/^---(.+)---$/mu);
  const units = parts.flatMap((name, index): readonly [string, GeneratedUnit][] =>
    index % 2 === 0 ? [[name, unit(parts[index + 1] ?? '')]] : [],
  );
  return new Map(units);
}

function unit(text: string): GeneratedUnit {
  const sections = text.split(/^\[(.+)\]$/mu);
  return {
    values(section, key) {
      const body = sections[sections.indexOf(section) + 1] ?? '';
      return [...body.matchAll(new RegExp(`^${key}=(.*)$`, 'gmu'))].map(([, value = '']) => value);
    },
  };
}
