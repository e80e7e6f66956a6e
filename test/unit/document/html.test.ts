import { describe, expect, test } from 'vitest';
import { breakable, markup, preformatted, toHtml } from '../../../src/document/html.ts';

describe('markup()', () => {
  test.each([
    ['a tag', '<script>alert(1)</script>', '&lt;script&gt;alert(1)&lt;/script&gt;'],
    ['quotes', `" onload='x'`, '&quot; onload=&#39;x&#39;'],
    ['an ampersand', '&lt;b&gt;', '&amp;lt;b&amp;gt;'],
    ['a control character', 'a\u0000b\u001b[2J', 'a\\u{0}b\\u{1B}[2J'],
    ['a direction override', 'a\u202egnp.exe', 'a\\u{202E}gnp.exe'],
    ['a line break', 'a\nb', 'a\\u{A}b'],
  ])('shows %s as text, inside an attribute too', (_, text, expected) => {
    expect(toHtml(markup`<p title="${text}">${text}</p>`)).toBe(`<p title="${expected}">${expected}</p>`);
  });

  test('cuts what would flood the page', () => {
    expect(toHtml(markup`${'x'.repeat(10_000)}`)).toHaveLength(1_000);
  });

  test('takes what is made already as it is, in lists of lists too', () => {
    expect(toHtml(markup`<ul>${[['<'], [markup`<li>${'<'}</li>`]]}</ul>`)).toBe('<ul>&lt;<li>&lt;</li></ul>');
  });

  test('leaves out null, and writes numbers', () => {
    expect(toHtml(markup`${null}${0}${7}`)).toBe('07');
  });
});

describe('breakable()', () => {
  test.each([
    ['license.test:443', 'license.test<wbr><span class="port">:443</span>'],
    ['localhost:8443', 'localhost<wbr><span class="port">:8443</span>'],
    [
      '10.0.0.1:443 and [2001:db8::1]:443: no',
      '10.0.0.1<wbr><span class="port">:443</span> and [2001:db8::1]<wbr><span class="port">:443</span>: no',
    ],
    ['<b>.test:443', '&lt;b&gt;.test<wbr><span class="port">:443</span>'],
  ])('lets a line of %s break before the port alone', (text, expected) => {
    expect(toHtml(markup`${breakable(text)}`)).toBe(expected);
  });

  test.each(['2026-11-24T14:00:05Z', 'at 14:00:05', 'at 14:00', 'policy 12: 5 hits', 'a.test:1234567'])(
    'knows no port in %s',
    (text) => {
      expect(toHtml(markup`${breakable(text)}`)).toBe(text);
    },
  );

  test('cuts what would flood the page', () => {
    expect(toHtml(markup`${breakable('a.test:443 '.repeat(1_000))}`)).toHaveLength(1_000);
  });
});

describe('preformatted()', () => {
  test('keeps line breaks, and escapes the rest', () => {
    expect(toHtml(preformatted('a\n<b>\n'))).toBe('a\n&lt;b&gt;\n\n');
  });
});
