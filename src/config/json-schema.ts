import * as z from 'zod';
import { configFile } from './config.ts';

/** A JSON Schema, as plain data. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/**
 * The JSON Schema (draft 7, which editors know best) of the configuration file, with a description and a default for
 * each key.
 */
export function configJsonSchema(): JsonSchema {
  const schema = z.toJSONSchema(configFile, { io: 'input', target: 'draft-07' });
  return { ...schema, title: 'Configuration of ftm-watch' };
}
