import { configJsonSchema } from '../config/json-schema.ts';
import type { InvalidConfig, LoadResult } from '../config/load.ts';
import { printConfig } from '../config/print.ts';
import { messageOf } from '../text/message-of.ts';
import { loadProducts } from '../trust/products.ts';
import { credentialProblems } from '../web/identify.ts';
import { surprisesOf } from './surprises.ts';
import { load, needsAll, needsNothing, type Streams, type Invocation, writeIssues } from './terminal.ts';

export interface ConfigCommandOptions extends Streams {
  /** What loading the file gave. */
  readonly result: LoadResult;
}

export interface ConfigCheckOptions extends ConfigCommandOptions {
  /** What is wrong with the files that a valid configuration names. */
  readonly problems: readonly string[];
  /** What is valid, and perhaps not meant. */
  readonly surprises: readonly string[];
}

/** Exit codes of `config`; 3 is what `check` returns for a bad configuration too. */
const CONFIG_EXIT = { valid: 0, invalid: 3 } as const;

export async function runConfig(command: 'check' | 'print' | 'schema', terminal: Invocation): Promise<number> {
  switch (command) {
    case 'check':
      return checkFiles(terminal);
    case 'print':
      return configPrint({ ...terminal, result: await load(terminal, needsNothing) });
    case 'schema':
      return configSchemaCommand(terminal);
  }
}

/**
 * What is valid in itself and still does not work: a hash or a token that the page cannot use, and a product file that
 * cannot be used.
 */
async function checkFiles(terminal: Invocation): Promise<number> {
  const result = await load(terminal, needsAll);
  if (result.kind === 'invalid') return refuse(result, terminal.errors);
  const { config, sources } = result;
  const products = await loadProducts(config.trust.productFiles).catch((error: unknown) => messageOf(error));
  const problems = [
    ...(await credentialProblems(config.web, terminal.env)),
    ...(typeof products === 'string' ? [products] : []),
  ];
  const surprises = [
    ...(await surprisesOf(config, sources)),
    ...(typeof products === 'string' ? [] : products.skipped),
  ];
  return configCheck({ ...terminal, result, problems, surprises });
}

/**
 * `config check`: says whether the configuration is valid, else every problem on standard error. Returns the exit code.
 * @internal
 */
export function configCheck({ result, problems, surprises, output, errors }: ConfigCheckOptions): number {
  if (result.kind === 'invalid') return refuse(result, errors);
  if (problems.length > 0) {
    errors.write(problems.map((problem) => `${problem}\n`).join(''));
    return CONFIG_EXIT.invalid;
  }
  output.write(
    result.sources.length === 0
      ? 'No configuration file: the built-in defaults apply\n'
      : `${result.sources.join(', ')}: the configuration is valid\n`,
  );
  output.write(surprises.map((surprise) => `Warning: ${surprise}\n`).join(''));
  return CONFIG_EXIT.valid;
}

/**
 * `config print`: the configuration in force as YAML, with every default and without any secret's value. Returns the
 * exit code.
 * @internal
 */
export function configPrint({ result, output, errors }: ConfigCommandOptions): number {
  if (result.kind === 'invalid') return refuse(result, errors);
  output.write(
    `# ${result.sources.length === 0 ? 'The built-in defaults' : result.sources.map((file) => JSON.stringify(file)).join(', ')}\n` +
      `${printConfig(result.config)}`,
  );
  return CONFIG_EXIT.valid;
}

/** `config schema`: the JSON Schema of the file, for editors. Returns the exit code. @internal */
export function configSchemaCommand({ output }: Pick<Streams, 'output'>): number {
  output.write(`${JSON.stringify(configJsonSchema(), null, 2)}\n`);
  return CONFIG_EXIT.valid;
}

function refuse(result: InvalidConfig, errors: Streams['errors']): number {
  writeIssues(result, errors);
  return CONFIG_EXIT.invalid;
}
