import { expect, test } from 'vitest';
import { codeSize, codeSizeTable } from './code-size.ts';

test('counts code and comments, and no blank line', () => {
  const source = [
    '/** Of one line. */',
    '/**',
    ' * Of three.',
    ' */',
    'const url = "http://example.org"; // behind code',
    '',
    '  // alone',
    'call(/* within */ url);',
  ].join('\n');

  expect(codeSize(source)).toEqual({ code: 2, comments: 5 });
});

test('lists the folders of src, and their sum last', () => {
  const lines = codeSizeTable(process.cwd());

  expect(lines.at(-1)).toMatch(/^src +\d{5} lines of code +\d{4,} of comments$/u);
  expect(lines.some((line) => line.startsWith('web '))).toBe(true);
});
