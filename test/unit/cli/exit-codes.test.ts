import { Command } from 'commander';
import { describe, expect, test } from 'vitest';

import { describedProgram } from '../../../tools/package/described-program.ts';
import { describeExitCodes, EXIT_CODES, leafCommands } from '../../../src/cli/exit-codes.ts';

describe('the exit codes', () => {
  test('are those of every command, and of no other', () => {
    const names = leafCommands(describedProgram('1.2.3', () => undefined)).map(([name]) => name);
    expect(names.length).toBeGreaterThan(15);
    expect([...EXIT_CODES.keys()].toSorted()).toEqual(names.toSorted());
  });

  test('stand at the end of the help of each', () => {
    const written: string[] = [];
    const program = describedProgram('1.2.3', (text) => written.push(text));
    for (const [name, command] of leafCommands(program)) {
      written.length = 0;
      command.outputHelp();
      expect([name, written.join('')]).toEqual([
        name,
        expect.stringMatching(/\nExit codes:\n {2}0 {4}[^\n]+\n(?: {2,}[^\n]+\n)*$/u),
      ]);
    }
  });

  test('name a command that stands below another one by both names', () => {
    const written: string[] = [];
    const program = new Command('ftm-watch').configureOutput({ writeOut: (text) => written.push(text) });
    const check = program.command('store').command('check');
    describeExitCodes(program);
    check.outputHelp();
    expect(written.join('')).toContain('2    the store is damaged');
  });
});
