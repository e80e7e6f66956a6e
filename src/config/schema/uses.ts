import * as z from 'zod';
import type { YamlPath } from '../../text/yaml-text.ts';
import { insideOf } from './alternatives.ts';
import { type SectionFields, isMapping } from './rules.ts';

/** What the program does with a text of the configuration, where it is a name of something outside, or a secret. */
export type Use =
  | 'file-to-read'
  | 'authority-file'
  | 'file-for-later'
  | 'secret-file'
  | 'secret-variable'
  | 'secret-url';

/** The schemas of such texts. */
export const USES = z.registry<{ readonly use: Use }>();

export interface UsedText {
  readonly use: Use;
  readonly text: string;
  /** null: a default, which is written nowhere. */
  readonly path: YamlPath | null;
}

type Change = (used: UsedText) => string;

/** The texts with a use in it, whether it is what a file says or what was made of that. */
export function usedTexts(schema: z.ZodType, value: unknown): readonly UsedText[] {
  const found: UsedText[] = [];
  changeTexts(schema, value, (used) => {
    found.push(used);
    return used.text;
  });
  return found;
}

/** The value with every such text changed, and with the schema's defaults. What does not fit the schema stays. */
export function changeTexts(schema: z.ZodType, value: unknown, change: Change): unknown {
  return changed(schema, value, [], { change, defaults: true });
}

/** The same without the defaults. */
export function changeGivenTexts(schema: z.ZodType, value: unknown, change: Change): unknown {
  return changed(schema, value, [], { change, defaults: false });
}

interface Changes {
  readonly change: Change;
  readonly defaults: boolean;
}

function changed(schema: z.core.$ZodType, value: unknown, path: YamlPath | null, how: Changes): unknown {
  const use = USES.get(schema)?.use;
  if (use !== undefined && typeof value === 'string') return how.change({ use, text: value, path });
  if (schema instanceof z.core.$ZodObject && isMapping(value)) return changedSection(schema, value, path, how);
  if (schema instanceof z.core.$ZodArray && Array.isArray(value))
    return value.map((item, index) => changed(schema._zod.def.element, item, below(path, index), how));
  if (schema instanceof z.ZodPrefault && value === undefined) return defaultOf(schema, how);
  return insideOf(schema).reduce<unknown>((result, inner) => changed(inner, result, path, how), value);
}

function changedSection(schema: z.core.$ZodObject, value: SectionFields, path: YamlPath | null, how: Changes): unknown {
  const fields = Object.entries(schema._zod.def.shape).map(
    ([key, field]) => [key, changed(field, value[key], below(path, key), how)] as const,
  );
  return { ...value, ...Object.fromEntries(fields.filter(([, child]) => child !== undefined)) };
}

function below(path: YamlPath | null, key: string | number): YamlPath | null {
  return path && [...path, key];
}

function defaultOf(schema: z.ZodPrefault, how: Changes): unknown {
  return how.defaults ? changed(schema.unwrap(), schema.def.defaultValue, null, how) : undefined;
}
