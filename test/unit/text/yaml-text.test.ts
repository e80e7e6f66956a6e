import { describe, expect, test } from 'vitest';
import { parseYaml } from '../../../src/text/yaml-text.ts';

function places(text: string): readonly string[] {
  const result = parseYaml(text);
  return result.kind === 'ok' ? [] : result.problems.map(({ line, column }) => `${String(line)}:${String(column)}`);
}

describe('a line with the wrong indentation', () => {
  test.each([
    ['further in than the key before it', 'web:\n    listen: 127.0.0.1:9843\n      publicUrl: https://a/\n', '3:7'],
    ['further in, on the first level', 'site: hq\n  timezone: UTC\n', '2:3'],
    ['further in, after a number', 'mail:\n  - port: 25\n      host: a\n', '3:7'],
    ['further in, after a text in quotes', 'site: "hq"\n  timezone: UTC\n', '2:3'],
    ['further in, after a list', 'mail: [{ host: a }]\n  site: b\n', '2:3'],
    ['further in, after an empty line', 'site: hq\n\n  timezone: UTC\n', '3:3'],
    ['further in, after a comment', 'site: hq\n# Of this site\n  timezone: UTC\n', '3:3'],
    ['further in, with a section', 'site: hq\n  web:\n    listen: a\n', '2:3'],
    ['further out than the key before it', 'web:\n    listen: 1\n  publicUrl: 2\n', '3:3'],
    ['further out, of a list', 'mail:\n  - host: a\n   port: 25\n', '3:4'],
    ['an item further out', 'mail:\n  - host: a\n    port: 25\n - host: b\n', '4:2'],
    ['a key where an item is expected', 'mail:\n  - host: a\n  port: 25\n', '3:3'],
    ['an item where a key is expected', 'web:\n  listen: 1\n  - a\n', '3:3'],
    ['with a tab', 'web:\n\tlisten: 1\n', '2:1'],
    [
      'further in, with all keys after it',
      'email:\n  host: a\n    from: b\n    to:\n    - c\n# A comment\n    user: d\n      port: 25\n  security: none\n',
      '3:5',
    ],
  ])('is pointed at: %s', (_, text, place) => {
    expect(places(text)).toEqual([place]);
  });

  test('does not hide another one further out', () => {
    expect(places('web:\n  listen: 1\n    hosts: 2\n    tls: 3\nsite:\n    a: 1\n  b: 2\n')).toEqual(['3:5', '7:3']);
  });

  test('is not seen in two keys on one line, nor in a colon that is missing', () => {
    expect(places('site: hq: x\n')).toEqual(['1:7']);
    expect(places('site:hq\nweb: 1\n')).toEqual(['1:1']);
  });
});
