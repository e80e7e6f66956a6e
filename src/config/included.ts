import {
  besides,
  type ConfigFile,
  type FileName,
  issueIn,
  type ReadResult,
  reasonOf,
  understoodFile,
} from './config-file.ts';
import type { ConfigIssue } from './issues.ts';
import { fieldsOf, isMapping } from './schema/rules.ts';

/** More is no fleet but a mistake. */
const MOST = 50;

export interface Included {
  /** In the order in which the file names them. */
  readonly files: readonly ConfigFile[];
  readonly issues: readonly ConfigIssue[];
}

const NONE: Included = { files: [], issues: [] };

/**
 * The files that the first file of a configuration names in `include`. What is no list of names is left to the schema.
 */
export async function includedBy(first: ConfigFile, read: (name: FileName) => Promise<ReadResult>): Promise<Included> {
  const named = namesIn(first);
  if (named === null) return NONE;
  if (named.length > MOST)
    return { files: [], issues: [issueIn(first, ['include'], `expected at most ${String(MOST)} files`)] };
  const all = await Promise.all(named.map((name, index) => include(first, { name, index }, read)));
  return { files: all.flatMap(({ files }) => files), issues: all.flatMap(({ issues }) => issues) };
}

/** The value of a file without the names of others, where those can be read. */
export function withoutInclude(file: ConfigFile): unknown {
  if (namesIn(file) === null) return file.value;
  const { include: _, ...rest } = fieldsOf(file.value);
  return rest;
}

function namesIn({ written }: ConfigFile): readonly string[] | null {
  const { include } = fieldsOf(written);
  return isListOfTexts(include) ? include : null;
}

function isListOfTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string' && item !== '');
}

async function include(
  first: ConfigFile,
  { name, index }: { readonly name: string; readonly index: number },
  read: (name: FileName) => Promise<ReadResult>,
): Promise<Included> {
  const where = besides(first, name);
  const found = await read(where);
  if (found.kind !== 'read')
    return {
      files: [],
      issues: [issueIn(first, ['include', index], `cannot read "${where.file}": ${reasonOf(found)}`)],
    };
  const file = understoodFile(where, found);
  if (file.kind === 'unread') return { files: [], issues: file.issues };
  const problem = problemOf(file);
  return problem === null ? { files: [file], issues: [] } : { files: [], issues: [problem] };
}

function problemOf(file: ConfigFile): ConfigIssue | null {
  if (!isMapping(file.value)) return issueIn(file, [], 'expected keys and values');
  return Object.hasOwn(file.value, 'include')
    ? issueIn(file, ['include'], 'only the first file of a configuration names others')
    : null;
}
