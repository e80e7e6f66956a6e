import { existsSync } from 'node:fs';
import { type FileHandle, open, readFile, rm } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { type Answers, firstConfiguration, SYSLOG_PORT } from '../config/first-configuration.ts';
import { checkoutFile, INSTALLED_FILE, loadConfig, localFiles } from '../config/load.ts';
import { makeFolder } from '../system/json-file.ts';
import { messageOf } from '../text/message-of.ts';
import type { Invocation } from './terminal.ts';

export interface TypedAnswers {
  readonly site?: string;
  readonly appliance?: readonly string[];
  readonly mailServer?: string;
  readonly tell?: readonly string[];
  readonly alertmanager?: string;
}

const INSTALLED = { folder: dirname(INSTALLED_FILE), state: '/var/lib/ftm-watch' };

/** The folders in which the packages install the documents. */
const MANUALS = ['/usr/share/doc/ftm-watch', '/opt/ftm-watch/share/doc/ftm-watch'] as const;

/** The group that the package creates for the service. */
const SERVICE_GROUP = 'ftm-watch';

/** The paths of the systemd unit. The package installs the first file; administrators create the second. */
const UNITS = ['/usr/lib/systemd/system/ftm-watch.service', '/etc/systemd/system/ftm-watch.service'] as const;

export async function init(typed: TypedAnswers, terminal: Invocation): Promise<number> {
  const { cwd, checkout, output } = terminal;
  const file = terminal.path ?? (existsSync(INSTALLED.folder) ? INSTALLED_FILE : 'config/ftm-watch.yaml');
  const target = resolve(cwd, file);
  if (existsSync(target))
    throw new Error(`Cannot write "${file}": the file already exists and will not be overwritten`);
  const answers = await answersOf(typed, terminal);
  const isInstalled = dirname(target) === INSTALLED.folder;
  const text = firstConfiguration(answers, isInstalled ? INSTALLED.state : null, manual());
  const [problem] = await problemsOf(text, terminal);
  if (problem !== undefined) throw new Error(`Cannot write "${file}": ${problem}`);
  try {
    makeFolder(dirname(target));
    await using created = await open(target, 'wx', 0o600);
    try {
      if (isInstalled && process.geteuid?.() === 0) await letServiceRead(created);
      await created.writeFile(text);
    } catch (error) {
      // Otherwise, the next attempt would find an empty file and not overwrite it.
      await rm(target);
      throw error;
    }
  } catch (error) {
    throw new Error(`Cannot write "${file}": ${messageOf(error)}`, { cause: error });
  }
  output.write(`Wrote ${file}:\n\n${text}\n${nextSteps(answers, { file, target, checkout })}`);
  return 0;
}

function manual(): string {
  const folder = MANUALS.find((one) => existsSync(join(one, 'configuration.md'))) ?? 'docs';
  return join(folder, 'configuration.md');
}

/** The configuration can contain secret URLs, so only the service can also read it. */
async function letServiceRead(file: FileHandle): Promise<void> {
  await file.chmod(0o640);
  const groups = await readFile('/etc/group', 'utf8');
  const { id } = new RegExp(String.raw`^${SERVICE_GROUP}:[^:]*:(?<id>\d+):`, 'mu').exec(groups)?.groups ?? {};
  if (id !== undefined) await file.chown((await file.stat()).uid, Number(id));
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

async function answersOf(typed: TypedAnswers, terminal: Invocation): Promise<Answers> {
  const { site, appliance, mailServer, tell, alertmanager } = typed;
  const given: Answers = {
    site: site ?? '',
    appliances: appliance ?? [],
    mailServer: mailServer ?? '',
    recipients: tell ?? [],
    alertmanager: alertmanager ?? '',
  };
  if ([site, appliance, mailServer, tell, alertmanager].some((answer) => answer !== undefined)) return given;
  const ask = terminal.ask ?? pipedAnswers(terminal);
  if (terminal.ask !== null)
    terminal.output.write('Press Return to accept the default in brackets. Separate several answers with spaces.\n\n');
  let answers = given;
  for (const question of QUESTIONS) answers = await answeredWell(question, ask, answers, terminal);
  return answers;
}

type Ask = NonNullable<Invocation['ask']>;

/** Used by scripts and when standard output is redirected. After the last line, the defaults are used. */
function pipedAnswers({ input, errors }: Invocation): Ask {
  const lines = createInterface({ input: Readable.from(input) })[Symbol.asyncIterator]();
  let ended = false;
  return async (question) => {
    if (ended) return '';
    errors.write(`${question}\n`);
    const line = await lines.next();
    ended = line.done === true;
    return line.done === true ? '' : line.value;
  };
}

/** A person is asked again after an invalid answer. */
async function answeredWell(
  { key, text }: Question,
  ask: Ask,
  answers: Answers,
  terminal: Invocation,
): Promise<Answers> {
  for (;;) {
    const typed = (await ask(`${text} [${key === 'site' ? terminal.hostname : 'none'}]: `)).trim();
    if (typed === '') return answers;
    const next = { ...answers, [key]: Array.isArray(answers[key]) ? typed.split(/[\s,]+/u) : typed };
    const [problem] = await problemsOf(firstConfiguration(next, null, ''), terminal);
    if (problem === undefined) return next;
    if (terminal.ask === null) throw new Error(`Invalid answer: ${problem}`);
    terminal.output.write(`  ${problem}\n`);
  }
}

async function problemsOf(text: string, { cwd, env, hostname }: Invocation): Promise<readonly string[]> {
  const bytes = new TextEncoder().encode(text);
  const files = { ...localFiles, read: () => Promise.resolve({ kind: 'read', bytes } as const) };
  const named = { path: 'ftm-watch.yaml', checkout: null, onCheckoutFile: () => undefined };
  const loaded = await loadConfig({ ...named, cwd, env, hostname, files });
  return loaded.kind === 'ok' ? [] : loaded.issues.map(({ path, message }) => `${path}: ${message}`);
}

interface Place {
  readonly file: string;
  readonly target: string;
  readonly checkout: string | null;
}

function nextSteps({ appliances }: Answers, { file, target, checkout }: Place): string {
  const defaults = checkout === null ? [INSTALLED_FILE] : [checkoutFile(checkout), INSTALLED_FILE];
  const option =
    defaults.find((name) => existsSync(name)) === target
      ? ''
      : ` -c ${/^[\w./-]+$/u.test(file) ? file : `'${file.replaceAll("'", String.raw`'\''`)}'`}`;
  const isService = target === INSTALLED_FILE && UNITS.some((unit) => existsSync(unit));
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
