import { expect, test } from 'vitest';
import { createProgressLine } from '../../../src/cli/terminal.ts';

test('createProgressLine() says what is waited for, and that it looks again', () => {
  const written: string[] = [];
  const line = createProgressLine({ columns: 60, write: (text) => written.push(text) });
  const step = (subject: string, kind: 'started' | 'finished'): string => {
    line.show({ subject, kind });
    return (written.at(-1) ?? '').replace('\r\u001B[2K', '');
  };
  line.startRound();
  expect(step('a:443', 'started')).toBe('Waiting for a:443');
  expect(step('b:25', 'started')).toBe('Waiting for a:443, b:25');
  step('a:443', 'finished');
  expect(step('b:25', 'finished')).toBe('');
  line.startRound();
  expect(step('a:443', 'started')).toBe('Checking again (check 2). Waiting for a:443');
  expect(step('fortitokenmobile.fortinet.com:443', 'started')).toHaveLength(59);
});
