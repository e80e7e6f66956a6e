import type { Contract } from './contract.ts';

/**
 * Lines that come or go together, for one reason: `+ metrics: …`, `- http: …`. `*` stands for any text in it.
 */
export interface Difference {
  readonly reason: string;
  readonly lines: readonly string[];
}

/** What is gone (`-`) and what is new (`+`), each with the name of what was looked at. */
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

/** Whether a line of a `Difference` stands for this one. */
export function covers(line: string, difference: string): boolean {
  const pattern = line.replaceAll(/[.+?^${}()|[\]\\]/gu, String.raw`\$&`).replaceAll('*', '.*');
  return new RegExp(`^${pattern}$`, 'su').test(difference);
}
