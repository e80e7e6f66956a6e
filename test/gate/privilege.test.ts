import { describe, expect, test, vi } from 'vitest';
import { describeWhere, findProgram, missing } from '../support/process/privilege.ts';

describe('missing()', () => {
  test('is undefined when the machine has all that is needed', () => {
    expect(missing([])).toBeUndefined();
    expect(missing([{ program: 'sh' }])).toBeUndefined();
  });

  test('tells what is missing outside CI', () => {
    vi.stubEnv('CI', '');
    expect(missing([{ program: 'sh' }, { program: 'no-such-program' }])).toBe('it needs the program "no-such-program"');
    expect(missing([{ unpacked: 'no-such-package' }])).toBe(
      'it needs the Debian package no-such-package in .cache/debian',
    );
  });

  test('throws in CI, where a test that is skipped is a test that is lost', () => {
    vi.stubEnv('CI', 'true');
    expect(() => missing([{ program: 'no-such-program' }])).toThrow(
      'Cannot skip a test in CI: it needs the program "no-such-program"',
    );
  });
});

describeWhere([{ program: 'sh' }], 'describeWhere()', () => {
  test('runs its tests where nothing is missing', () => {
    expect(findProgram('sh')).toMatch(/\/sh$/u);
  });
});
