import { configJsonSchema } from '../config/config.ts';
import { printConfig } from '../config/print.ts';
import { InvalidConfiguration, load, needsNothing, type Streams, type Invocation } from './terminal.ts';

export async function runConfigPrint(terminal: Invocation): Promise<number> {
  const loaded = await load(terminal, needsNothing);
  if (loaded.kind === 'invalid') throw new InvalidConfiguration(loaded);
  const { sources, config } = loaded;
  const from = sources.length === 0 ? 'The built-in defaults' : sources.map((file) => JSON.stringify(file)).join(', ');
  terminal.output.write(`# ${from}\n${printConfig(config)}`);
  return 0;
}

export function configSchemaCommand({ output }: Pick<Streams, 'output'>): number {
  output.write(`${JSON.stringify(configJsonSchema(), null, 2)}\n`);
  return 0;
}
