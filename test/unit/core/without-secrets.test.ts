import { describe, expect, test } from 'vitest';
import { withoutSecrets } from '../../../src/core/visible-text.ts';

describe('withoutSecrets()', () => {
  test.each([
    ['as it is', 'bad login: p"/+ä', ['p"/+ä'], 'bad login: ‹secret›'],
    ['more than once', 'x x', ['x'], '‹secret› ‹secret›'],
    ['in base64', 'AUTH cCIvK8Ok=', ['p"/+ä'], 'AUTH ‹secret›='],
    ['with its padding', 'b3BzOnNlY3JldDE=', ['ops:secret1'], '‹secret›'],
    ['in a URL', '/?key=p%22%2F%2B%C3%A4', ['p"/+ä'], '/?key=‹secret›'],
    ['in JSON', '{"password":"p\\"/+ä"}', ['p"/+ä'], '{"password":"‹secret›"}'],
    ['in bytes', 'p"/+\u00c3\u00a4', ['p"/+ä'], '‹secret›'],
    ['within a longer one', 'ops:secret1', ['secret1', 'ops:secret1'], '‹secret›'],
    [
      'made of what means something in a pattern',
      'a (.*)+[x]$^|\\d{2}?/-, b',
      ['(.*)+[x]$^|\\d{2}?/-,'],
      'a ‹secret› b',
    ],
    ['not at all', 'fine', ['', 'secret1'], 'fine'],
  ])('%s', (_, text, secrets, expected) => {
    expect(withoutSecrets(text, secrets)).toBe(expected);
  });
});
