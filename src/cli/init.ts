import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { type Answers, firstConfiguration, SYSLOG_PORT } from '../config/first-configuration.ts';
import { DEFAULT_CONFIG_FILES, loadConfig, localFiles } from '../config/load.ts';
import { makeFolder } from '../system/json-file.ts';
import { messageOf } from '../text/message-of.ts';
import { EXIT_UNKNOWN } from './exit-codes.ts';
import type { Invocation } from './terminal.ts';

type TypedAnswers = { readonly [Key in keyof Answers]: Answers[Key] | undefined };

const INSTALLED = { folder: '/etc/ftm-watch', file: '/etc/ftm-watch/ftm-watch.yaml', state: '/var/lib/ftm-watch' };

/** The paths of the systemd unit. The package installs the first file; administrators create the second. */
const UNITS = ['/usr/lib/systemd/system/ftm-watch.service', '/etc/systemd/system/ftm-watch.service'] as const;

export async function init(typed: TypedAnswers, terminal: Invocation): Promise<number> {
  const { cwd, output, errors } = terminal;
  const file = terminal.path ?? (existsSync(INSTALLED.folder) ? INSTALLED.file : 'config/ftm-watch.yaml');
  const target = resolve(cwd, file);
  if (existsSync(target)) {
    errors.write(`Cannot write "${file}": the file already exists and will not be overwritten\n`);
    return EXIT_UNKNOWN;
  }
  const answers = await answersOf(typed, terminal);
  if (answers === null) return EXIT_UNKNOWN;
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
  output.write(`Wrote ${file}:\n\n${text}\n${nextSteps(answers, { file, target, cwd })}`);
  return 0;
}

interface Question {
  readonly key: keyof Answers;
  readonly text: string;
}

const QUESTIONS: readonly Question[] = [
  { key: 'site', text: 'Name of this site' },
  { key: 'appliances', text: 'Addresses of your FortiAuthenticator units' },
  { key: 'mailServer', text: 'Mail server that they use to send activation codes (host or host:port)' },
  { key: 'recipients', text: 'Email addresses for notifications' },
  { key: 'alertmanager', text: 'URL of your Alertmanager' },
];

async function answersOf(typed: TypedAnswers, terminal: Invocation): Promise<Answers | null> {
  const given: Answers = {
    site: typed.site ?? '',
    appliances: typed.appliances ?? [],
    mailServer: typed.mailServer ?? '',
    recipients: typed.recipients ?? [],
    alertmanager: typed.alertmanager ?? '',
  };
  const isTold = Object.values(typed).some((answer) => answer !== undefined);
  if (isTold) return given;
  return terminal.ask === null ? piped(given, terminal) : asked(given, terminal.ask, terminal);
}

/** Used by scripts and when standard output is redirected. */
async function piped(defaults: Answers, terminal: Invocation): Promise<Answers | null> {
  const { input, errors } = terminal;
  const lines = linesOf(input);
  let answers = defaults;
  for (const { key, text } of QUESTIONS) {
    errors.write(`${questionText(key, text, terminal)}\n`);
    const line = await lines.next();
    if (line.done === true) return answers;
    const next = withAnswer(answers, key, line.value.trim());
    const [problem] = await problemsOf(firstConfiguration(next, null), terminal);
    if (problem !== undefined) {
      errors.write(`Invalid answer: ${problem}\n`);
      return null;
    }
    answers = next;
  }
  return answers;
}

async function* linesOf(input: AsyncIterable<Buffer>): AsyncGenerator<string, undefined> {
  let rest = '';
  for await (const chunk of input) {
    const lines = `${rest}${chunk.toString('utf8')}`.split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
  }
  if (rest !== '') yield rest;
  return undefined;
}

function questionText(key: keyof Answers, text: string, { hostname }: Invocation): string {
  return `${text} [${key === 'site' ? hostname : 'none'}]: `;
}

function withAnswer(answers: Answers, key: keyof Answers, typed: string): Answers {
  if (typed === '') return answers;
  return { ...answers, [key]: Array.isArray(answers[key]) ? typed.split(/[\s,]+/u) : typed };
}

type Ask = NonNullable<Invocation['ask']>;

async function asked(defaults: Answers, ask: Ask, terminal: Invocation): Promise<Answers> {
  terminal.output.write('Press Return to accept the default in brackets. Separate several answers with spaces.\n\n');
  let answers = defaults;
  for (const { key, text } of QUESTIONS) {
    answers = await answeredWell(key, () => ask(questionText(key, text, terminal)), answers, terminal);
  }
  return answers;
}

async function answeredWell(
  key: keyof Answers,
  ask: () => Promise<string>,
  answers: Answers,
  terminal: Invocation,
): Promise<Answers> {
  for (;;) {
    const typed = (await ask()).trim();
    if (typed === '') return answers;
    const next = withAnswer(answers, key, typed);
    const [problem] = await problemsOf(firstConfiguration(next, null), terminal);
    if (problem === undefined) return next;
    terminal.output.write(`  ${problem}\n`);
  }
}

async function problemsOf(text: string, { cwd, env, hostname }: Invocation): Promise<readonly string[]> {
  const bytes = new TextEncoder().encode(text);
  const files = { ...localFiles, read: () => Promise.resolve({ kind: 'read', bytes } as const) };
  const loaded = await loadConfig({ path: 'ftm-watch.yaml', cwd, env, hostname, files });
  return loaded.kind === 'ok' ? [] : loaded.issues.map(({ path, message }) => `${path}: ${message}`);
}

interface Place {
  readonly file: string;
  readonly target: string;
  readonly cwd: string;
}

function nextSteps({ appliances }: Answers, { file, target, cwd }: Place): string {
  const found = DEFAULT_CONFIG_FILES.find((name) => existsSync(resolve(cwd, name)));
  const isFound = found !== undefined && resolve(cwd, found) === target;
  const option = isFound
    ? ''
    : ` -c ${/^[\w./-]+$/u.test(file) ? file : `'${file.replaceAll("'", String.raw`'\''`)}'`}`;
  const isService = target === INSTALLED.file && UNITS.some((unit) => existsSync(unit));
  const steps = [
    [`ftm-watch config check${option}`, 'check whether the daemon can start, and show warnings'],
    [`ftm-watch check${option}`, 'run all checks once'],
    [isService ? 'systemctl restart ftm-watch' : `ftm-watch run${option}`, 'start the daemon and its status page'],
  ] as const;
  const width = Math.max(...steps.map(([command]) => command.length));
  const syslog =
    appliances.length === 0
      ? ''
      : '  On FortiAuthenticator, add this machine under Logging > Log Config > Syslog Servers: ' +
        `UDP, port ${String(SYSLOG_PORT)}\n`;
  return `Next:\n${steps.map(([command, what]) => `  ${command.padEnd(width)}   ${what}\n`).join('')}${syslog}`;
}
