import { dirname, isAbsolute, join, resolve } from 'node:path';
import { parseYaml, type Position, type YamlPath } from '../text/yaml-text.ts';
import { type ConfigIssue, formatPath } from './issues.ts';
import { withGivenNamesAbsolute } from './named.ts';

/** Larger than any configuration that a person or a program writes. */
export const MAX_CONFIG_BYTES: number = 1024 * 1024;

/** A file that was read, or not. */
export type ReadResult =
  | { readonly kind: 'read'; readonly bytes: Uint8Array }
  | { readonly kind: 'missing' }
  | { readonly kind: 'too-large' }
  | { readonly kind: 'failed'; readonly reason: string };

/** Where a file stands, and how messages name it. */
export interface FileName {
  /** As it was given. */
  readonly file: string;
  /** Absolute. */
  readonly source: string;
}

/** One file of the configuration, before anybody knows whether it fits the schema. */
export interface ConfigFile extends FileName {
  readonly kind: 'file';
  /** As written; undefined for a file without a value. */
  readonly written: unknown;
  /** With absolute names of files, which start at the folder of this one. */
  readonly value: unknown;
  /** Where the last part of the path stands, or would. */
  readonly locate: (path: YamlPath) => Position;
}

export interface UnreadFile {
  readonly kind: 'unread';
  readonly issues: readonly ConfigIssue[];
}

export function understoodFile(name: FileName, found: ReadResult): ConfigFile | UnreadFile {
  if (found.kind !== 'read') return unread(name, reasonOf(found));
  // Such a file asks for the defaults of every key: taken at its word, a reload would forget everything that is
  // watched.
  if (found.bytes.length === 0) return unread(name, 'it is empty, as a full disk or an unfinished copy leaves it');
  const text = decoded(found.bytes);
  if (text === null) return unread(name, 'expected UTF-8');
  const yaml = parseYaml(text);
  if (yaml.kind === 'invalid') {
    const issues = yaml.problems.map(({ message, line, column }) => ({
      file: name.file,
      position: { line, column },
      path: '',
      message,
    }));
    return { kind: 'unread', issues };
  }
  const { value: written, locate } = yaml;
  return { kind: 'file', ...name, written, value: withGivenNamesAbsolute(written ?? {}, dirname(name.source)), locate };
}

/** A problem at a place of a file. */
export function issueIn({ file, locate }: ConfigFile, path: YamlPath, message: string): ConfigIssue {
  return { file, position: locate(path), path: formatPath(path), message };
}

/** The name of a file that another one names. */
export function besides({ file, source }: FileName, named: string): FileName {
  return isAbsolute(named)
    ? { file: named, source: named }
    : { file: join(dirname(file), named), source: resolve(dirname(source), named) };
}

function unread({ file }: FileName, reason: string): UnreadFile {
  const message = `cannot read the configuration: ${reason}`;
  return { kind: 'unread', issues: [{ file, position: null, path: '', message }] };
}

export function reasonOf(found: Exclude<ReadResult, { readonly kind: 'read' }>): string {
  switch (found.kind) {
    case 'missing':
      return 'no such file';
    case 'too-large':
      return `expected at most ${String(MAX_CONFIG_BYTES)} bytes`;
    case 'failed':
      return found.reason;
  }
}

/** null for what is not UTF-8, a byte order mark aside. */
function decoded(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
}
