import { expect, test } from 'vitest';
import { problemOf } from '../../../src/cli/daemon-client.ts';

const UNEXPECTED =
  'Unexpected answer from the daemon (HTTP N): check that the daemon is the same version as this command';

test.each([
  ['refused, with reasons', 409, JSON.stringify({ error: 'Refused', problems: ['a', 'b'] }), 'Refused\n- a\n- b'],
  ['an error of the daemon itself', 500, 'It could not answer. See its log.\n', 'It could not answer. See its log.'],
  ['an error without a text', 502, '', UNEXPECTED.replace('N', '502')],
  ['a request over a limit', 413, 'The body is too large\n', 'The body is too large'],
  ['an unknown path', 404, 'There is no page\n', UNEXPECTED.replace('N', '404')],
  ['an answer of something else', 400, '<html>', UNEXPECTED.replace('N', '400')],
  ['control characters', 500, 'a\u001b[31m', 'a\\u{1B}[31m'],
])('%s', (_, status, text, expected) => {
  const json: unknown = text.startsWith('{') ? JSON.parse(text) : undefined;
  expect(problemOf({ status, text, json })).toBe(expected);
});
