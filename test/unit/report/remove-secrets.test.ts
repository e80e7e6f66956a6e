import { describe, expect, test } from 'vitest';
import { createSecretRemover } from '../../../src/report/report-contents.ts';

const SECRET = `p"a<s>s&w'o/r d+1`;

describe('a secret that a peer sent back', () => {
  test.each([
    ['as it is', SECRET],
    ['in JSON', JSON.stringify({ a: SECRET })],
    ['in HTML', 'p&quot;a&lt;s&gt;s&amp;w&#39;o/r d+1'],
    ['in a URL', encodeURIComponent(SECRET)],
    ['in hexadecimal', Buffer.from(SECRET).toString('hex')],
    ['in base64', Buffer.from(SECRET).toString('base64')],
    ['behind a name in base64', Buffer.from(`u:${SECRET}`).toString('base64')],
    ['behind a longer name in base64', Buffer.from(`us:${SECRET}!`).toString('base64')],
    ['behind an even longer name in base64', Buffer.from(`use:${SECRET}!!`).toString('base64')],
  ])('is taken out %s', (_, text) => {
    const rest = createSecretRemover([SECRET])(`before ${text} after`);
    expect(rest).toMatch(/^before .*‹secret›.* after$/u);
    expect(rest.length).toBeLessThan(40);
  });

  test('is taken out whole where another one is its beginning', () => {
    expect(createSecretRemover(['hunter-22', 'hunter-22-and-more'])('hunter-22-and-more')).toBe('‹secret›');
  });

  test.each(['public', 'fortinet', 'x1'])('is left where "%s" says nothing', (word) => {
    expect(createSecretRemover([word])(`a ${word} word`)).toBe(`a ${word} word`);
  });
});
