import { describe, expect, test } from 'vitest';
import { runStep } from './run-step.ts';
import { type Step, steps } from './steps.ts';

const printing = (text: string, code: number): Step['command'] => [
  process.execPath,
  '-e',
  `console.log(${JSON.stringify(text)}); process.exitCode = ${String(code)}`,
];

const countSeen: Step['count'] = (output) => {
  const digits = /saw (\d+)/u.exec(output)?.[1];
  return digits === undefined ? undefined : Number(digits);
};

describe('runStep()', () => {
  test('passes when the command passes and looked at something', async () => {
    const outcome = await runStep({ name: 'lint', command: printing('saw 3', 0), counts: 'files', count: countSeen });
    expect(outcome).toEqual({
      failed: false,
      line: expect.stringMatching(/^ok {4}lint +3 files in \d+\.\d s$/u),
      output: '',
    });
  });

  test.each([
    { text: 'saw 3', code: 1, why: 'when the command fails' },
    { text: 'saw 0', code: 0, why: 'when the command looked at nothing' },
    { text: 'everything works', code: 0, why: 'when the command does not say how much it looked at' },
  ])('fails $why', async ({ text, code }) => {
    const outcome = await runStep({ name: 'lint', command: printing(text, code), counts: 'files', count: countSeen });
    expect(outcome).toEqual({ failed: true, line: expect.stringMatching(/^FAIL {2}lint/u), output: `${text}\n` });
  });

  test('names the command that repairs what it found', async () => {
    const step: Step = { name: 'format', command: printing('saw 3', 1), counts: 'files', count: countSeen };
    expect((await runStep({ ...step, repair: 'npm run format' })).line).toContain('run "npm run format"');
    expect((await runStep({ ...step, command: printing('saw 3', 0) })).line).not.toContain('npm run');
  });

  test('rejects when the program does not exist', async () => {
    const step: Step = { name: 'lint', command: ['no-such-program'], counts: 'files', count: countSeen };
    await expect(runStep(step)).rejects.toThrow('no-such-program');
  });
});

describe('steps', () => {
  test.each([
    {
      name: 'types',
      output: '/a/node_modules/x/x.d.ts\n/a/src/a.ts\n/a/test/b.test.ts\nsrc/a.ts(1,1): error',
      count: 2,
    },
    { name: 'types', output: '/a/node_modules/x/x.d.ts', count: 0 },
    { name: 'lint', output: 'Finished in 222ms on 10 files with 154 rules using 2 threads.', count: 10 },
    { name: 'lint', output: 'Finished in 2ms on 0 files with 154 rules using 2 threads.', count: 0 },
    { name: 'format', output: 'Checked 1 file in 5ms. No fixes applied.', count: 1 },
    { name: 'format', output: 'Checked 0 files in 5ms. No fixes applied.', count: 0 },
    { name: 'dead-code', output: 'Looked at 19 files\n', count: 19 },
    { name: 'dead-code', output: 'Looked at 0 files\n', count: 0 },
    { name: 'tests', output: ' Test Files  1 passed (1)\n      Tests  46 passed (46)\n', count: 46 },
    {
      name: 'tests',
      output: ' Test Files  2 failed (2)\n      Tests  1 failed | 2 passed | 3 skipped (6)\n',
      count: 2,
    },
    { name: 'tests', output: ' Test Files  1 skipped (1)\n      Tests  3 skipped (3)\n', count: undefined },
  ])('$name reads its count from $output', ({ name, output, count }) => {
    expect(steps.find((step) => step.name === name)?.count(output)).toBe(count);
  });

  test('tests names those that were skipped', () => {
    const output = 'stderr | a.test.ts\nSkipped "blocked port": it needs root\n\n Tests  1 passed (1)\n';
    expect(steps.find((step) => step.name === 'tests')?.remarks?.(output)).toBe(
      'Skipped "blocked port": it needs root',
    );
  });
});
