import { configCheck, configPrint, configSchemaCommand } from './config.ts';
import { load, type Terminal } from './terminal.ts';

export async function runConfig(command: 'check' | 'print' | 'schema', path: string | undefined, terminal: Terminal): Promise<number> {
  switch (command) {
    case 'check':
      return configCheck({ ...terminal, result: await load(path, terminal) });
    case 'print':
      return configPrint({ ...terminal, result: await load(path, terminal) });
    case 'schema':
      return configSchemaCommand(terminal);
  }
}
