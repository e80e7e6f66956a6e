import { resolve } from 'node:path';
import { visibleText } from '../core/visible-text.ts';
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
    const isFile = use === 'file-to-read' || use === 'secret-file' || use === 'file-for-later';
    return isFile && text !== '' ? resolve(folder, text) : text;
  };
}

export interface FileChecks {
  /** Why the file cannot be read ("no such file"), null when it can. Never rejects. */
  readonly problem: (path: string) => Promise<string | null>;
}

interface Machine {
  readonly env: NodeJS.ProcessEnv;
  readonly files: FileChecks;
}

/** One issue for each file that cannot be read and each variable that is not set. */
export async function missingThings(value: unknown, machine: Machine): Promise<readonly SchemaIssue[]> {
  const issues = usedTexts(configFile, value).map(async (used): Promise<readonly SchemaIssue[]> => {
    const message = await whyMissing(used, machine);
    const path = used.path ?? [];
    return message === null ? [] : [{ at: path, path, message: () => message }];
  });
  return (await Promise.all(issues)).flat();
}

async function whyMissing({ use, text }: UsedText, { env, files }: Machine): Promise<string | null> {
  switch (use) {
    case 'file-to-read':
    case 'secret-file': {
      const problem = text === '' ? null : await files.problem(text);
      return problem === null ? null : `cannot read file "${visibleText(text, 300)}": ${problem}`;
    }
    case 'secret-variable':
      // What is no name of a variable may be the secret itself.
      return env[text] || !secretVariable.safeParse(text).success ? null : `environment variable "${text}" is not set`;
    case 'file-for-later':
    case 'secret-url':
      return null;
  }
}
