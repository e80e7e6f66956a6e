import * as z from 'zod';
import { SHAPE_ONLY } from './schema/context.ts';
import { configSchema } from './schema/root.ts';

/** A JSON Schema, as plain data. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/**
 * The JSON Schema (draft 7, which editors know best) of the configuration file, with a description and a default for
 * each key.
 */
export function configJsonSchema(): JsonSchema {
  const schema = z.toJSONSchema(configSchema(SHAPE_ONLY), {
    io: 'input',
    target: 'draft-07',
    override: ({ jsonSchema }) => {
      moveAbsent(jsonSchema);
    },
  });
  return { ...schema, title: 'Configuration of ftm-watch' };
}

/** Where a default is made by a transformation, zod cannot know it: the schema carries it as `absent`. */
function moveAbsent(schema: Record<string, unknown>): void {
  const { absent } = schema;
  if (absent === undefined) return;
  Reflect.deleteProperty(schema, 'absent');
  Reflect.set(schema, 'default', absent);
}
