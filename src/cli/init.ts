import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { type Answers, firstConfiguration, SYSLOG_PORT } from '../config/first-configuration.ts';
import { loadConfig, localFiles } from '../config/load.ts';
import { makeFolder } from '../system/json-file.ts';
import { messageOf } from '../text/message-of.ts';
import { EXIT_UNKNOWN } from './exit-codes.ts';
import type { Invocation } from './terminal.ts';

/** What the options say; without any of them a person is asked, where one is there. */
export type TypedAnswers = { readonly [Key in keyof Answers]: Answers[Key] | undefined };

const INSTALLED = { folder: '/etc/ftm-watch', file: '/etc/ftm-watch/ftm-watch.yaml', state: '/var/lib/ftm-watch' };

/** Writes a first configuration. Returns the exit code. */
export async function init(typed: TypedAnswers, terminal: Invocation): Promise<number> {
  const { cwd, output, errors } = terminal;
  const file = terminal.path ?? (existsSync(INSTALLED.folder) ? INSTALLED.file : 'config/ftm-watch.yaml');
  const target = resolve(cwd, file);
  if (existsSync(target)) {
    errors.write(`Cannot write "${file}": it is there already, and is not overwritten\n`);
    return EXIT_UNKNOWN;
  }
  const answers = await answersOf(typed, terminal);
  const text = firstConfiguration(answers, dirname(target) === INSTALLED.folder ? INSTALLED.state : null);
  const [problem] = await problemsOf(text, terminal);
  if (problem !== undefined) {
    errors.write(`Cannot write "${file}": ${problem}\n`);
    return EXIT_UNKNOWN;
  }
  try {
    makeFolder(dirname(target));
    await writeFile(target, text, { flag: 'wx' });
  } catch (error) {
    errors.write(`Cannot write "${file}": ${messageOf(error)}\n`);
    return EXIT_UNKNOWN;
  }
  output.write(`Wrote ${file}:\n\n${text}\n${nextSteps(answers)}`);
  return 0;
}

interface Question {
  readonly key: keyof Answers;
  readonly text: string;
}

const QUESTIONS: readonly Question[] = [
  { key: 'site', text: 'Name of this site' },
  { key: 'appliances', text: 'Addresses of your FortiAuthenticator units' },
  { key: 'mailServer', text: 'Mail server that they send activation codes through (host or host:port)' },
  { key: 'recipients', text: 'Mail addresses of those who are told when something breaks' },
  { key: 'alertmanager', text: 'URL of your Alertmanager' },
];

async function answersOf(typed: TypedAnswers, terminal: Invocation): Promise<Answers> {
  const given: Answers = {
    site: typed.site ?? '',
    appliances: typed.appliances ?? [],
    mailServer: typed.mailServer ?? '',
    recipients: typed.recipients ?? [],
    alertmanager: typed.alertmanager ?? '',
  };
  const isTold = Object.values(typed).some((answer) => answer !== undefined);
  return terminal.ask === null || isTold ? given : asked(given, terminal.ask, terminal);
}

type Ask = NonNullable<Invocation['ask']>;

async function asked(defaults: Answers, ask: Ask, terminal: Invocation): Promise<Answers> {
  terminal.output.write(
    'Return takes what stands in brackets, or leaves a question out. Several answers: with spaces between.\n\n',
  );
  let answers = defaults;
  for (const { key, text } of QUESTIONS) {
    const question = `${text} [${key === 'site' ? terminal.hostname : 'none'}]: `;
    answers = await answeredWell(key, () => ask(question), answers, terminal);
  }
  return answers;
}

/** Asks until the answer can be used. */
async function answeredWell(
  key: keyof Answers,
  ask: () => Promise<string>,
  answers: Answers,
  terminal: Invocation,
): Promise<Answers> {
  for (;;) {
    const said = (await ask()).trim();
    if (said === '') return answers;
    const next = { ...answers, [key]: Array.isArray(answers[key]) ? said.split(/[\s,]+/u) : said };
    const [problem] = await problemsOf(firstConfiguration(next, null), terminal);
    if (problem === undefined) return next;
    terminal.output.write(`  ${problem}\n`);
  }
}

/** What is wrong with a configuration that stands nowhere yet. */
async function problemsOf(text: string, { cwd, env, hostname }: Invocation): Promise<readonly string[]> {
  const bytes = new TextEncoder().encode(text);
  const files = { ...localFiles, read: () => Promise.resolve({ kind: 'read', bytes } as const) };
  const loaded = await loadConfig({ path: 'ftm-watch.yaml', cwd, env, hostname, files });
  return loaded.kind === 'ok' ? [] : loaded.issues.map(({ path, message }) => `${path}: ${message}`);
}

function nextSteps({ appliances }: Answers): string {
  const syslog =
    appliances.length === 0
      ? ''
      : `  On FortiAuthenticator, Logging > Log Config > Syslog Servers: this machine, UDP, port ${String(SYSLOG_PORT)}\n`;
  return `Next:
  ftm-watch config check   what will surprise
  ftm-watch check          one round now
  ftm-watch run            the daemon, with its page
${syslog}`;
}
