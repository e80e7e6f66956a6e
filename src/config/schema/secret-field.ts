import type * as z from 'zod';
import type { SectionFields, Rule } from './rules.ts';

/** A secret called `name`, which stands under `<name>File` or `<name>Env` in its section. */
export interface SecretField<Source> {
  keys(name: string): readonly (readonly [key: string, schema: z.ZodType])[];
  rule(name: string): Rule;
  decode(name: string, fields: SectionFields): Source;
  encode(name: string, source: unknown): readonly (readonly [key: string, value: unknown])[];
}
