import { isDeepStrictEqual } from 'node:util';
import type { Config } from './config.ts';

/**
 * The sections of the configuration that differ, by their keys in the file; none when a reload changes nothing. Files
 * that it names are not compared by content: what uses them reads them again.
 */
export function changedSections(before: Config, after: Config): readonly string[] {
  const old = new Map<string, unknown>(Object.entries(before));
  return Object.entries(after)
    .filter(([key, value]) => !isDeepStrictEqual(old.get(key), value))
    .map(([key]) => key);
}
