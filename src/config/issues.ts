import * as z from 'zod';
import { visibleText } from '../core/visible-text.ts';
import { closest } from '../text/closest.ts';
import { expectedMessage, showValue } from '../text/show.ts';
import type { YamlPath } from '../text/yaml-text.ts';
import { configFile } from './config.ts';
import { alternatives } from './schema/section.ts';

export interface ConfigIssue {
  readonly file: string;
  /** Counted from 1. Null if the file cannot be read or parsed at all. */
  readonly position: { readonly line: number; readonly column: number } | null;
  /** For example `mail[0].port`. Empty if the issue concerns the whole file. */
  readonly path: string;
  readonly message: string;
}

/** An issue whose line and column have not been determined yet. */
export interface SchemaIssue {
  /** The path to the value whose position is shown. */
  readonly at: YamlPath;
  /** The path that is shown in the message. For an unknown key, this is the path of its section. */
  readonly path: YamlPath;
  /**
   * Called only for displayed issues, because finding similar keys takes time and a broken file can have thousands of
   * issues.
   */
  readonly message: () => string;
}

/** For example `own/ftm-watch.yaml:12:5  mail[0].port: expected a port between 1 and 65535, got 70000`. */
export function formatIssue({ file, position, path, message }: ConfigIssue): string {
  const place = position === null ? '' : `:${String(position.line)}:${String(position.column)}`;
  return `${visibleText(file, 500)}${place}  ${path === '' ? '' : `${path}: `}${message}`;
}

export function formatPath(path: YamlPath): string {
  return path
    .map((part, index) =>
      typeof part === 'number' ? `[${String(part)}]` : `${index === 0 ? '' : '.'}${visibleText(part, 60)}`,
    )
    .join('');
}

/**
 * Returns a separate issue for each unknown key. For a union type, returns the issues of the alternative that the user
 * probably intended.
 */
export function schemaIssues(issues: readonly z.core.$ZodIssue[], base: YamlPath = []): readonly SchemaIssue[] {
  return issues.flatMap((issue) => schemaIssue(issue, base));
}

function schemaIssue(issue: z.core.$ZodIssue, base: YamlPath): readonly SchemaIssue[] {
  const path = [...base, ...issue.path.map((part) => (typeof part === 'number' ? part : String(part)))];
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) => ({ at: [...path, key], path, message: () => unknownKeyMessage(key, path) }));
  const meant = issue.code === 'invalid_union' ? issue.errors.find(isMeant) : undefined;
  return meant === undefined ? [{ at: path, path, message: () => issue.message }] : schemaIssues(meant, path);
}

/** Returns whether the alternative expects the type of the user's value, even if the value itself is invalid. */
function isMeant(branch: readonly z.core.$ZodIssue[]): boolean {
  return branch.length > 0 && branch.every(({ code, path }) => code !== 'invalid_type' || path.length > 0);
}

/** Used for zod errors without a specific message. */
export function fallbackMessage(issue: { readonly code?: string | undefined; readonly input?: unknown }): string {
  return expectedMessage('another value', issue.input);
}

function unknownKeyMessage(key: string, path: YamlPath): string {
  const unknown = `unknown key ${showValue(key)}`;
  const known = knownKeys(configFile, path);
  if (known.includes(`${key}File`))
    return `${unknown}; secrets are not allowed in this file, use "${key}File" or "${key}Env"`;
  const similar = closest(key, known);
  if (similar !== null) return `${unknown}; did you mean "${similar}"?`;
  const elsewhere = allKeyPaths(configFile).filter((known) => known.endsWith(`.${key}`));
  const [only] = elsewhere;
  return only !== undefined && elsewhere.length === 1
    ? `${unknown}; did you mean "${only}"?`
    : `${unknown}; expected ${known.map((name) => `"${name}"`).join(', ')}`;
}

export function knownKeys(schema: z.core.$ZodType, path: readonly (string | number)[]): readonly string[] {
  const [first, ...rest] = path;
  return alternatives(schema).flatMap((one) => {
    if (one instanceof z.core.$ZodArray) return typeof first === 'number' ? knownKeys(one._zod.def.element, rest) : [];
    if (!(one instanceof z.core.$ZodObject)) return [];
    const { shape } = one._zod.def;
    if (first === undefined) return Object.keys(shape);
    const child = shape[first];
    return child === undefined ? [] : knownKeys(child, rest);
  });
}

/** For example `mail[].port`. */
export function allKeyPaths(schema: z.core.$ZodType, prefix = ''): readonly string[] {
  const all = alternatives(schema);
  const items = all.flatMap((one) => (one instanceof z.core.$ZodArray ? alternatives(one._zod.def.element) : []));
  return all.flatMap((one) => {
    // If the schema also accepts a single item instead of a list, the item and the list have the same keys.
    if (items.includes(one)) return [];
    if (one instanceof z.core.$ZodArray) return allKeyPaths(one._zod.def.element, `${prefix}[]`);
    if (!(one instanceof z.core.$ZodObject)) return [];
    return Object.entries(one._zod.def.shape).flatMap(([key, child]) => {
      const path = prefix === '' ? key : `${prefix}.${key}`;
      return [path, ...allKeyPaths(child, path)];
    });
  });
}
