import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Number of lines in a source. A line with code and a trailing comment counts as code. */
export interface CodeSize {
  readonly code: number;
  readonly comments: number;
}

/** Counts lines as formatted: a comment starts on its own line, and nothing follows its end. */
export function codeSize(source: string): CodeSize {
  let code = 0;
  let comments = 0;
  let isInside = false;
  for (const line of source.split('\n').map((text) => text.trim())) {
    if (line === '') continue;
    const isComment = isInside || line.startsWith('//') || line.startsWith('/*');
    if (isComment) comments += 1;
    else code += 1;
    isInside = (isInside || line.startsWith('/*')) && !line.endsWith('*/');
  }
  return { code, comments };
}

/** Returns one line for each folder of `src`, then the sum. */
export function codeSizeTable(root: string): readonly string[] {
  const folders = Map.groupBy(globSync('src/**/*.ts', { cwd: root }), (file) => file.split('/').slice(0, -1)[1] ?? '.');
  const sizes = [...folders].map(([folder, files]) => ({
    folder,
    ...sum(files.map((file) => codeSize(readFileSync(join(root, file), 'utf8')))),
  }));
  return [...sizes.toSorted((a, b) => b.code - a.code), { folder: 'src', ...sum(sizes) }].map(
    ({ folder, code, comments }) =>
      `${folder.padEnd(12)} ${String(code).padStart(6)} lines of code ${String(comments).padStart(6)} of comments`,
  );
}

function sum(sizes: readonly CodeSize[]): CodeSize {
  return {
    code: sizes.reduce((total, { code }) => total + code, 0),
    comments: sizes.reduce((total, { comments }) => total + comments, 0),
  };
}
