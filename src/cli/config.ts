import { formatIssue } from '../config/issues.ts';
import { configJsonSchema } from '../config/json-schema.ts';
import type { LoadResult } from '../config/load.ts';
import { printConfig } from '../config/print.ts';
import { noChannelNote } from '../notify/no-channel.ts';

export interface Output {
  write(text: string): unknown;
}

export interface ConfigCommandOptions {
  /** What loading the file gave. */
  readonly result: LoadResult;
  readonly output: Output;
  readonly errors: Output;
}

export interface ConfigCheckOptions extends ConfigCommandOptions {
  /** What is wrong with the files that a valid configuration names. */
  readonly problems: readonly string[];
}

type InvalidConfig = Extract<LoadResult, { readonly kind: 'invalid' }>;

/** Exit codes of `config`; 3 is what `check` returns for a bad configuration too. */
const CONFIG_EXIT = { valid: 0, invalid: 3 } as const;

/**
 * `config check`: says whether the configuration is valid, else every problem on standard error. Returns the exit code.
 */
export function configCheck({ result, problems, output, errors }: ConfigCheckOptions): number {
  if (result.kind === 'invalid') return refuse(result, errors);
  if (problems.length > 0) {
    errors.write(problems.map((problem) => `${problem}\n`).join(''));
    return CONFIG_EXIT.invalid;
  }
  output.write(
    result.source === null
      ? 'No configuration file: the built-in defaults apply\n'
      : `${result.source}: the configuration is valid\n`,
  );
  const note = noChannelNote(result.config.notify);
  if (note !== null) output.write(`${note}\n`);
  return CONFIG_EXIT.valid;
}

/**
 * `config print`: the configuration in force as YAML, with every default and without any secret's value. Returns the
 * exit code.
 */
export function configPrint({ result, output, errors }: ConfigCommandOptions): number {
  if (result.kind === 'invalid') return refuse(result, errors);
  output.write(
    `# ${result.source === null ? 'The built-in defaults' : JSON.stringify(result.source)}\n` +
      `${printConfig(result.config)}`,
  );
  return CONFIG_EXIT.valid;
}

/** `config schema`: the JSON Schema of the file, for editors. Returns the exit code. */
export function configSchemaCommand({ output }: { readonly output: Output }): number {
  output.write(`${JSON.stringify(configJsonSchema(), null, 2)}\n`);
  return CONFIG_EXIT.valid;
}

/** Prints each problem of a configuration on a line of its own; for every command that cannot go on without one. */
export function writeIssues({ issues, hidden }: InvalidConfig, errors: Output): void {
  errors.write(issues.map((issue) => `${formatIssue(issue)}\n`).join(''));
  const count = issues.length + hidden;
  const others = hidden === 0 ? '' : `; these are the first ${String(issues.length)}`;
  errors.write(`The configuration is not valid: ${String(count)} ${count === 1 ? 'problem' : 'problems'}${others}\n`);
}

function refuse(result: InvalidConfig, errors: Output): number {
  writeIssues(result, errors);
  return CONFIG_EXIT.invalid;
}
