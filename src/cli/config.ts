import { stat } from 'node:fs/promises';
import { configJsonSchema, type Config, configFile } from '../config/config.ts';
import type { InvalidConfig, LoadResult } from '../config/load.ts';
import { printConfig, plainConfig, secretUrls } from '../config/print.ts';
import { messageOf } from '../text/message-of.ts';
import { loadProducts } from '../trust/products.ts';
import { credentialProblems } from '../web/identify.ts';
import { load, type Streams, type Invocation, writeIssues } from './terminal.ts';
import { usedTexts } from '../config/schema/section.ts';
import { exposureNotes } from '../web/change-refusal.ts';
import { noChannelNote } from '../notify/no-channel.ts';

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
      return configPrint({ ...terminal, result: await load(terminal) });
    case 'schema':
      return configSchemaCommand(terminal);
  }
}

/**
 * What is valid in itself and still does not work: a hash or a token that the page cannot use, and a product file that
 * cannot be used.
 */
async function checkFiles(terminal: Invocation): Promise<number> {
  const result = await load(terminal);
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

/** "Others" of a file's mode: everybody with an account on this machine. */
const OTHERS_READ = 0o004;

/**
 * What is valid and may not be what was meant, a sentence each.
 * @param sources the files that the configuration was read from
 */
export async function surprisesOf(config: Config, sources: readonly string[]): Promise<readonly string[]> {
  const nobody = noChannelNote(config.notify);
  return [
    ...(nobody === null ? [] : [nobody]),
    ...logSurprises(config),
    ...exposureNotes(config.web),
    ...(await readByOthers(config, sources)),
  ];
}

function logSurprises({ logs: { syslog, files }, appliances }: Config): readonly string[] {
  const listens = syslog.udp !== null || syslog.tcp !== null || syslog.tls !== null || files.length > 0;
  if (!listens)
    return [
      "No log source is configured: FortiAuthenticator's own errors are not seen. Set logs.syslog, and this machine as " +
        'a syslog server on FortiAuthenticator.',
    ];
  // The lines of an only unit are told from nothing.
  return appliances.length < 2
    ? []
    : appliances
        .filter(({ logSources }) => logSources.length === 0)
        .map(({ name }) => `Log lines of "${name}" are foreign and are ignored: set its logSources.`);
}

async function readByOthers(config: Config, sources: readonly string[]): Promise<readonly string[]> {
  const secrets = usedTexts(configFile, plainConfig(config)).flatMap(({ use, text, path }) =>
    use === 'secret-file' || path?.at(-1) === 'keyFile' ? [text] : [],
  );
  // The paths of these URLs are secrets, and stand in the file itself.
  const files = [...new Set([...secrets, ...(secretUrls(config).length === 0 ? [] : sources)])];
  const open = await Promise.all(files.map(isReadByOthers));
  return files
    .filter((_, index) => open[index])
    .map((file) => `Every user of this machine can read the secrets in "${file}": chmod o= "${file}".`);
}

async function isReadByOthers(file: string): Promise<boolean> {
  try {
    return ((await stat(file)).mode & OTHERS_READ) !== 0;
  } catch {
    // Whether it can be read at all was asked before.
    return false;
  }
}
