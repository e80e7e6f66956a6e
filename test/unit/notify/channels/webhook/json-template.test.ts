import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { filled } from '../../../../../src/notify/channels/webhook-template.ts';

describe('filled()', () => {
  test('fills texts at any depth, and leaves the rest as it is', () => {
    const template = {
      text: '*{{title}}*\n{{ text }}',
      list: ['{{title}}', 1, null, true],
      deep: { '{{title}}': '{{none}}' },
    };
    expect(filled(template, { title: 'T', text: 'X' })).toEqual({
      text: '*T*\nX',
      list: ['T', 1, null, true],
      deep: { '{{title}}': '' },
    });
  });

  test('takes what is put in as text alone: no place, no pattern, no JSON in it counts', () => {
    fc.assert(
      fc.property(fc.string(), (hostile) => {
        for (const title of [hostile, `{{text}}${hostile}`, "$&$1`$'", '"}, "admin": {"'])
          expect(filled({ text: '{{{title}}}' }, { title, text: 'never' })).toEqual({ text: title });
      }),
    );
  });

  test('escapes texts for Markdown, but not IDs and links', () => {
    const values = { title: '@all *a*', severity: '*a*', page: 'https://monitor.example.org/*' };
    expect(filled('{{title}} {{severity}} {{page}} {{{title}}}', values)).toBe(
      '@\u200Ball \\*a\\* *a* https://monitor.example.org/* @all *a*',
    );
  });

  test('cuts a text to a limit so that the rest is escaped as if it were the whole text', () => {
    const escapes = fc.constantFrom('markdown', 'html', 'plain');
    const starts = fc.string({ unit: fc.constantFrom('a', '\\', '<', '&', '@', '1', '.', '😀', '\n', '\u0000', 'é') });
    fc.assert(
      fc.property(starts, fc.integer({ min: 1, max: 40 }), escapes, (start, limit, escape) => {
        const text = `${start}<@a>&\`*_\\`.repeat(4);
        const cut = filled(`{{text:${String(limit)}}}`, { text }, escape);
        expect(typeof cut === 'string' ? cut.length : Infinity).toBeLessThanOrEqual(limit);
        const rests = [...Array(limit).keys()].map((length) => `${text.slice(0, length)}…`);
        expect([text, ...rests].map((rest) => filled('{{text}}', { text: rest }, escape))).toContain(cut);
      }),
      { numRuns: 50 },
    );
    expect(filled('{{title:4}} {{title:9}}', { title: '<script>' }, 'html')).toBe('… &lt;scr…');
    expect(filled('{{{text:3}}} {{{text:4}}}', { text: 'a😀b' })).toBe('a… a😀b');
  });

  test('chooses a case, also within a case', () => {
    const template = {
      color: { '{{tone}}': { critical: 1, good: { '{{event}}': { test: null, else: '{{title}}' } }, else: 3 } },
    };
    expect(filled(template, { tone: 'critical' })).toEqual({ color: 1 });
    expect(filled(template, { tone: 'good', event: 'test' })).toEqual({ color: null });
    expect(filled(template, { tone: 'good', event: 'resolved', title: '*' })).toEqual({ color: '\\*' });
    for (const tone of ['', 'neutral', 'toString', '__proto__'])
      expect(filled(template, { tone })).toEqual({ color: 3 });
  });

  test.each([
    ['html', '&lt;b&gt;@\u200Beveryone&lt;/b&gt; &amp;amp; &quot;https:\u200B//a&quot;'],
    ['plain', '<b>@\u200Beveryone</b> &amp; "https:\u200B//a"'],
  ] as const)('escapes texts as %s', (escape, expected) => {
    expect(filled('{{title}}', { title: '<b>@everyone</b> &amp; "https://a"' }, escape)).toBe(expected);
  });

  test('knows no names but its own, and keeps keys that mean something to JavaScript', () => {
    expect(filled('{{constructor}}{{toString}}{{__proto__}}', {})).toBe('{{__proto__}}');
    const template = JSON.parse('{"__proto__": {"polluted": "{{title}}"}}') as never;
    expect(JSON.stringify(filled(template, { title: 'T' }))).toBe('{"__proto__":{"polluted":"T"}}');
    expect('polluted' in {}).toBe(false);
  });
});
