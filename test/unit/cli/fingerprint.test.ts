import { describe, expect, test } from 'vitest';
import { collectFingerprint } from '../../../src/cli/commands.ts';

const PLAIN = '0123456789abcdef'.repeat(4);
const WRITTEN = (PLAIN.toUpperCase().match(/../gu) ?? []).join(':');

describe('collectFingerprint()', () => {
  test.each([
    PLAIN,
    PLAIN.toUpperCase(),
    WRITTEN,
    `SHA256:${PLAIN}`,
    `sha256 Fingerprint=${WRITTEN}`,
    WRITTEN.replaceAll(':', ' '),
  ])('reads %s', (typed) => {
    expect(collectFingerprint(typed, ['A'])).toEqual(['A', WRITTEN]);
  });

  test.each(['', 'SHA256', PLAIN.slice(1), `${PLAIN}00`, `sha1 Fingerprint=${PLAIN.slice(24)}`, `sha256/${PLAIN}`])(
    'refuses %j, and says what is expected',
    (typed) => {
      expect(() => collectFingerprint(typed)).toThrow('64 hexadecimal digits');
    },
  );
});
