import type { Contract } from './contract.ts';

/** Returns removed (`-`) and added (`+`) lines, each with the name of its source. */
export function differencesOf(before: Contract, now: Contract): readonly string[] {
  const names = new Set([...Object.keys(before), ...Object.keys(now)]);
  return [...names].toSorted().flatMap((name) => {
    const [old, fresh] = [new Set(before[name]), new Set(now[name])];
    return [
      ...[...old].filter((line) => !fresh.has(line)).map((line) => `- ${name}: ${line}`),
      ...[...fresh].filter((line) => !old.has(line)).map((line) => `+ ${name}: ${line}`),
    ];
  });
}

/** Reports whether an intended line matches this one: `+ metrics: …`, `- http: …`. `*` matches any text. */
export function covers(line: string, difference: string): boolean {
  const pattern = line.replaceAll(/[.+?^${}()|[\]\\]/gu, String.raw`\$&`).replaceAll('*', '.*');
  return new RegExp(`^${pattern}$`, 'su').test(difference);
}
