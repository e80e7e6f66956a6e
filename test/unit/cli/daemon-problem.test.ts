import { expect, test } from 'vitest';
import { problemOf } from '../../../src/cli/daemon-client.ts';

const UNEXPECTED =
  'Unexpected answer from the daemon (HTTP N): check that the daemon is the same version as this command';

test.each([
  ['refused, with reasons', 409, JSON.stringify({ error: 'Refused', problems: ['a', 'b'] }), 'Refused\n- a\n- b'],
  ['an error of the daemon itself', 500, 'It could not answer. See its log.\n', 'It could not answer. See its log.'],
  ['an error without a text', 502, '', UNEXPECTED.replace('N', '502')],
  ['an answer of something else', 404, '<html>', UNEXPECTED.replace('N', '404')],
  ['control characters', 500, 'a\u001b[31m', 'a\\u{1B}[31m'],
])('%s', (_, status, text, expected) => {
  const json: unknown = text.startsWith('{') ? JSON.parse(text) : undefined;
  expect(problemOf({ status, text, json })).toBe(expected);
});
