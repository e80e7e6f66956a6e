import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { filled } from '../../../../../src/notify/channels/webhook.ts';

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

  test('knows no names but its own, and keeps keys that mean something to JavaScript', () => {
    expect(filled('{{constructor}}{{toString}}{{__proto__}}', {})).toBe('{{__proto__}}');
    const template = JSON.parse('{"__proto__": {"polluted": "{{title}}"}}') as never;
    expect(JSON.stringify(filled(template, { title: 'T' }))).toBe('{"__proto__":{"polluted":"T"}}');
    expect('polluted' in {}).toBe(false);
  });
});
