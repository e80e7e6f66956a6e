import { resolve } from 'node:path';
import { visibleText } from '../core/visible-text.ts';
import type { YamlPath } from '../text/yaml-text.ts';
import { configFile } from './config.ts';
import type { SchemaIssue } from './issues.ts';
import { secretVariable } from './schema/files.ts';
import { changeGivenTexts, changeTexts, type UsedText, usedTexts } from './schema/uses.ts';

/** A file's values with absolute file names, which start at its folder. */
export function withGivenNamesAbsolute(value: unknown, folder: string): unknown {
  return changeGivenTexts(configFile, value, absoluteIn(folder));
}

/** The values with the defaults of file names, which start at the working directory. */
export function withDefaultNames(value: unknown, workingDirectory: string): unknown {
  return changeTexts(configFile, value, absoluteIn(workingDirectory));
}

function absoluteIn(folder: string): (used: UsedText) => string {
  return ({ use, text }) => {
    const isFile = use !== 'secret-variable' && use !== 'secret-url';
    return isFile && text !== '' ? resolve(folder, text) : text;
  };
}

export interface FileChecks {
  /** Why the file cannot be read ("no such file"), null when it can. Never rejects. */
  readonly problem: (path: string) => Promise<string | null>;
  /** Another file with the same content, to be read if this one cannot be; null: there is none. */
  readonly substitute?: (path: string) => string | null;
}

/** Whether a command reads what is named at this key: `appliances.api.keyFile`. */
export type Needs = (key: string) => boolean;

interface Machine {
  readonly env: NodeJS.ProcessEnv;
  readonly files: FileChecks;
  /** @default everything */
  readonly needs?: Needs;
}

/** A file that is read in place of the one that is named. */
export interface Substitute {
  readonly path: string;
  readonly substitute: string;
}

interface NamedThings {
  /** One for each file that cannot be read and each variable that is not set. */
  readonly missing: readonly SchemaIssue[];
  readonly substitutes: readonly Substitute[];
  /** With the substitutes in place of the files that cannot be read. */
  readonly value: unknown;
}

/** Looks for the files and variables that are needed. */
export async function findNamedThings(value: unknown, machine: Machine): Promise<NamedThings> {
  const { needs = () => true } = machine;
  const needed = usedTexts(configFile, value).filter(({ path }) => needs(keyOf(path ?? [])));
  const found = await Promise.all(needed.map(async (used) => ({ used, ...(await find(used, machine)) })));
  const missing = found.flatMap(({ used: { path }, problem }): readonly SchemaIssue[] =>
    problem === null ? [] : [{ at: path ?? [], path: path ?? [], message: () => problem }],
  );
  const substitutes = new Map(
    found.flatMap(({ used, substitute }) => (substitute === null ? [] : [[used.text, substitute] as const])),
  );
  return {
    missing,
    substitutes: [...substitutes].map(([path, substitute]) => ({ path, substitute })),
    value:
      substitutes.size === 0 ? value : changeGivenTexts(configFile, value, ({ text }) => substitutes.get(text) ?? text),
  };
}

function keyOf(path: YamlPath): string {
  return path.filter((part) => typeof part === 'string').join('.');
}

interface Found {
  readonly problem: string | null;
  readonly substitute: string | null;
}

async function find({ use, text }: UsedText, { env, files }: Machine): Promise<Found> {
  switch (use) {
    case 'file-to-read':
    case 'authority-file':
    case 'secret-file':
      return text === '' ? FOUND : findFile(text, files);
    case 'secret-variable':
      // What is no name of a variable may be the secret itself.
      return env[text] || !secretVariable.safeParse(text).success
        ? FOUND
        : { problem: `environment variable "${text}" is not set`, substitute: null };
    case 'file-for-later':
    case 'secret-url':
      return FOUND;
  }
}

const FOUND: Found = { problem: null, substitute: null };

async function findFile(path: string, files: FileChecks): Promise<Found> {
  const problem = await files.problem(path);
  if (problem === null) return FOUND;
  const substitute = files.substitute?.(path) ?? null;
  const also = substitute === null ? null : await files.problem(substitute);
  if (substitute !== null && also === null) return { problem: null, substitute };
  const said = `cannot read file "${visibleText(path, 300)}": ${problem}`;
  return {
    problem:
      also === null ? said : `${said}; nor "${visibleText(substitute ?? '', 300)}", which it is made from: ${also}`,
    substitute: null,
  };
}
