import { describe, expect, test } from 'vitest';
import { journalForm, readableForm } from '../../../src/cli/run.ts';

/** The tests run in the Pacific/Chatham time zone, which is 13 h 45 min ahead of UTC. */
const TIME = '2026-11-24T13:00:00.000Z';

function line(fields: object): string {
  return `${JSON.stringify(fields)}\n`;
}

describe('journalForm', () => {
  test.each([
    ['error', '<3>'],
    ['warn', '<4>'],
    ['info', '<6>'],
    ['debug', '<7>'],
  ])('gives %s the priority %s', (level, prefix) => {
    const json = line({ level, time: TIME, msg: 'x', nested: { level: 'error' } });

    expect(journalForm(json)).toBe(`${prefix}${json}`);
  });
});

describe('readableForm()', () => {
  test('names what happened and where the page is', () => {
    const json = line({ level: 'info', time: TIME, url: 'http://127.0.0.1:9843/', msg: 'Serving the status page' });

    expect(readableForm(false)(json)).toBe('02:45:00 Serving the status page  url=http://127.0.0.1:9843/\n');
  });

  test('says what is no information, and puts lists below', () => {
    const problems = ['a.yaml:1:1  unknown key "b"', 'a.yaml:2:1  unknown key "c"'];
    const json = line({ level: 'error', time: TIME, problems, count: 2, msg: 'Refused the configuration' });

    expect(readableForm(false)(json)).toBe(
      `02:45:00 error: Refused the configuration  count=2\n  - ${problems.join('\n  - ')}\n`,
    );
  });

  test('tells of an error what it says', () => {
    const err = { type: 'Error', message: 'disk full', stack: 'Error: disk full\n    at x' };

    expect(readableForm(false)(line({ level: 'warn', time: TIME, err, msg: 'Cannot write' }))).toBe(
      '02:45:00 warn: Cannot write  err=disk full\n',
    );
  });

  test('lets nothing of others act on the terminal', () => {
    const json = line({ level: 'info', time: TIME, from: '\u009b31m\n', list: ['\u202e'], msg: 'a\u001b[2J' });

    expect(readableForm(false)(json)).toMatch(/^[\n -~]+$/u);
    expect(readableForm(false)(json).split('\n')).toHaveLength(3);
  });

  test('colours what needs a look', () => {
    expect(readableForm(true)(line({ level: 'error', time: TIME, msg: 'x' }))).toContain(
      '\u001b[31merror: x\u001b[39m',
    );
  });
});
