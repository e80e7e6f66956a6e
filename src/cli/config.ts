import { configJsonSchema } from '../config/json-schema.ts';
import type { LoadResult } from '../config/load.ts';
import { printConfig } from '../config/print.ts';
import { EXIT_UNKNOWN } from './exit-code.ts';
import { load, needsNothing, type Streams, type Invocation, writeIssues } from './terminal.ts';

export interface ConfigCommandOptions extends Streams {
  /** What loading the file gave. */
  readonly result: LoadResult;
}

export async function runConfigPrint(terminal: Invocation): Promise<number> {
  return configPrint({ ...terminal, result: await load(terminal, needsNothing) });
}

/**
 * `config print`: the configuration in force as YAML, with every default and without any secret's value. Returns the
 * exit code.
 * @internal
 */
export function configPrint({ result, output, errors }: ConfigCommandOptions): number {
  if (result.kind === 'invalid') {
    writeIssues(result, errors);
    return EXIT_UNKNOWN;
  }
  output.write(
    `# ${result.sources.length === 0 ? 'The built-in defaults' : result.sources.map((file) => JSON.stringify(file)).join(', ')}\n` +
      `${printConfig(result.config)}`,
  );
  return 0;
}

/** `config schema`: the JSON Schema of the file, for editors. Returns the exit code. */
export function configSchemaCommand({ output }: Pick<Streams, 'output'>): number {
  output.write(`${JSON.stringify(configJsonSchema(), null, 2)}\n`);
  return 0;
}
