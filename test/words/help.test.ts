import type { Command } from 'commander';
import { test } from 'vitest';
import { describedProgram } from '../../tools/package/described-program.ts';
import { expectRecorded } from './recorded.ts';

test('help of every command', async () => {
  const written: string[] = [];
  const program = describedProgram('0.1.0', (text) => written.push(text));
  const pages = commandsOf(program).map(([name, command]) => {
    written.length = 0;
    command.outputHelp();
    return [name, written.join('')] as const;
  });
  await expectRecorded('help', Object.fromEntries(pages));
});

function commandsOf(command: Command, before: readonly string[] = []): readonly (readonly [string, Command])[] {
  const path = [...before, command.name()];
  return [[path.join(' '), command], ...command.commands.flatMap((one) => commandsOf(one, path))];
}
