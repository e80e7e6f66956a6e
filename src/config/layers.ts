import type { YamlPath } from '../text/yaml-text.ts';
import { isMapping } from './schema/rules.ts';

/** One value over another: sections are merged key by key, everything else is replaced. */
export function merged(under: unknown, over: unknown): unknown {
  if (!isMapping(under) || !isMapping(over)) return over;
  const keys = Object.entries(over).map(([key, value]) => [
    key,
    Object.hasOwn(under, key) ? merged(under[key], value) : value,
  ]);
  return { ...under, ...Object.fromEntries(keys) };
}

/**
 * Which of the layers the value at a path comes from, by its index: the topmost of those that are merged there. Where
 * the value is missing, that of the nearest part above it.
 * @param layers the lowest first, at least one
 */
export function ownerOf(layers: readonly unknown[], path: YamlPath): number {
  let here = layers.map((value, index) => ({ value, index }));
  let owner = layers.length - 1;
  for (const part of path) {
    const below = here.flatMap(({ value, index }) => childOf(value, part, index));
    const top = below.at(-1);
    if (top === undefined) return owner;
    owner = top.index;
    // What is no section hides all that is under it.
    here = isMapping(top.value) ? below.slice(below.findLastIndex(({ value }) => !isMapping(value)) + 1) : [top];
  }
  return owner;
}

function childOf(value: unknown, part: string | number, index: number): { value: unknown; index: number }[] {
  if (typeof part === 'number') return Array.isArray(value) && part in value ? [{ value: value[part], index }] : [];
  return isMapping(value) && Object.hasOwn(value, part) ? [{ value: value[part], index }] : [];
}
