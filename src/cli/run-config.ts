import { loginProblems } from '../web/login.ts';
import { configCheck, configPrint, configSchemaCommand } from './config.ts';
import { load, type Terminal } from './terminal.ts';

export async function runConfig(
  command: 'check' | 'print' | 'schema',
  path: string | undefined,
  terminal: Terminal,
): Promise<number> {
  switch (command) {
    case 'check':
      return check(path, terminal);
    case 'print':
      return configPrint({ ...terminal, result: await load(path, terminal) });
    case 'schema':
      return configSchemaCommand(terminal);
  }
}

/**
 * Passwords are the one secret whose form is known beforehand: a hash that the page cannot use is a mistake that shows
 * now.
 */
async function check(path: string | undefined, terminal: Terminal): Promise<number> {
  const result = await load(path, terminal);
  const problems = result.kind === 'ok' ? await loginProblems(result.config.web.users, terminal.env) : [];
  return configCheck({ ...terminal, result, problems });
}
