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

  test('name a command that stands below another one by both names', () => {
    const written: string[] = [];
    const program = new Command('ftm-watch').configureOutput({ writeOut: (text) => written.push(text) });
    const check = program.command('store').command('check');
    describeExitCodes(program);
    check.outputHelp();
    expect(written.join('')).toMatch(/^ {2}2 {4}\S/mu);
  });
});
