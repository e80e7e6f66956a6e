import { describe, expect, test } from 'vitest';
import { type MarkdownPlace, partBlock, sectionBlocks } from '../../../src/document/markdown.ts';
import type { Part } from '../../../src/document/document.ts';
import { headOf, sentenceStep } from '../../../src/engine/model.ts';

const LINKS: MarkdownPlace = {
  runbook: (path) => `${path}.md`,
  document: (path) => `../${path}`,
  blockHead: headOf,
  isUntrusted: false,
};

function made(part: Part): string {
  return partBlock(part, LINKS);
}

describe('hostile text in Markdown', () => {
  test.each([
    ['HTML', '<img src=x onerror=alert(1)>', String.raw`\<img src=x onerror=alert(1)\>`],
    ['a link', '[pay](https://evil.example)', String.raw`\[pay\](https://evil.example)`],
    ['an image', '![x](https://evil.example/x.png)', String.raw`!\[x\](https://evil.example/x.png)`],
    ['an image without a text', '![](https://evil.example/x.png)', String.raw`!\[](https://evil.example/x.png)`],
    ['a key of the configuration', 'mail[].host, mail[]: x', String.raw`mail[].host, mail\[]: x`],
    ['emphasis', '*a* _b_ ~~c~~', String.raw`\*a\* \_b\_ \~\~c\~\~`],
    ['code', '`a`', '\\`a\\`'],
    ['an entity', '&lt;b&gt; &#60; A & B', String.raw`\&lt;b\&gt; \&#60; A & B`],
    ['an escape', String.raw`\<`, String.raw`\\\<`],
    ['a formula', '$\\phantom{x}$', String.raw`\$\\phantom{x}\$`],
    ['a heading', '# a', String.raw`\# a`],
    ['a list', '- a', String.raw`\- a`],
    ['a list with a plus', '+ a', String.raw`\+ a`],
    ['a numbered list', '12. a', String.raw`12\. a`],
    ['an address', '127.0.0.1 to 10) x', '127.0.0.1 to 10) x'],
    ['a rule', '---', String.raw`\---`],
    ['a quotation', '> a', String.raw`\> a`],
    ['indented code', '    a', 'a'],
    ['a new line', 'a\n# b', String.raw`a\\u{A}# b`],
    ['a direction override', 'a\u202Eb', String.raw`a\\u{202E}b`],
    ['a plain sentence', 'It lasted 5 min (at 10.0.0.1:443).', 'It lasted 5 min (at 10.0.0.1:443).'],
    ['a date', '2026-11-24 13:00:00 UTC', '2026-11-24 13:00:00 UTC'],
  ])('%s stays a text', (_what, text, expected) => {
    expect(made({ kind: 'list', lines: [text] })).toBe(`- ${expected}`);
    expect(made({ kind: 'text', lines: [text] })).toBe(expected);
  });

  test.each([
    ['host:443', '`host:443`'],
    ['a`b', '``a`b``'],
    ['`', '`` ` ``'],
    ['a\nb', '`a\\u{A}b`'],
  ])('code with %j ends where it should', (code, expected) => {
    expect(made({ kind: 'text', lines: [['At ', { code }]] })).toBe(`At ${expected}`);
  });

  test('commands with a fence end where they should', () => {
    const commands = { place: 'Shell', fill: 'complete', missing: '', text: 'echo 1\n```\n<b>' };
    expect(made({ kind: 'commands', lines: [commands] })).toBe(
      ['   Shell, complete:', '', '   ````text', '   echo 1', '   ```', '   <b>', '   ````'].join('\n'),
    );
  });
});

describe('partBlock()', () => {
  test('numbers steps, with their commands in the same item', () => {
    const step = { ...sentenceStep('Do this.'), commands: 'ls', syntax: 'shell' as const };
    expect(made({ kind: 'steps', lines: [step, sentenceStep('Then that.')] })).toBe(
      ['1. Do this.', '', '   Shell, ready to copy:', '', '   ```sh', '   ls', '   ```', '2. Then that.'].join('\n'),
    );
  });

  test('links to runbooks and documents, and writes the addresses of other links', () => {
    const words = ['See ', { cause: 'tls-intercepted' }, ' and ', { document: 'web.md' }] as const;
    expect(sectionBlocks([{ title: 'More', parts: [{ kind: 'text', lines: [words] }] }], LINKS)).toEqual([
      '## More',
      'See [tls-intercepted](tls-intercepted.md) and [web.md](../web.md)',
    ]);
    const linked = { text: 'Page:', links: [['Incident', 'https://a.example/x']] } as const;
    expect(made({ kind: 'list', lines: [linked] })).toBe('- Page: <https://a.example/x>');
  });
});
