import { join } from 'node:path';
import { type Daemon, startDaemon } from '../../../src/demo/daemon.ts';
import { type Lab, createLab } from '../../../src/demo/lab/lab.ts';
import { SCENARIOS } from '../../../src/demo/scenarios.ts';
import { LICENSE_HOST } from '../../../src/demo/lab/site.ts';
import { askSocket, type SocketAnswer } from '../process/control-socket.ts';
import { parseExposition } from '../monitoring/exposition.ts';
import { runFtmWatch } from '../process/ftm-watch.ts';

/** Keys whose values are sentences. Wording may change, so only their presence is promised. */
const SENTENCES: ReadonlySet<string> = new Set([
  'summary',
  'impact',
  'evidence',
  'remedy',
  'remedySteps',
  'expected',
  'actual',
  'claim',
  'quote',
  'product',
]);

/**
 * Returns a JSON value as sorted lines `path: value`. List items are identified by their id or rule, so that their
 * order does not matter. Ports, times and sentences are left out, because they differ from run to run or may be
 * reworded.
 */
function linesOf(value: unknown): readonly string[] {
  return sorted(walk(value, '', printed));
}

/** As {@link linesOf}, with the type of each value instead of the value, and all items of a list merged. */
function shapeOf(value: unknown): readonly string[] {
  return sorted(
    walk(value, '', (leaf) => (leaf === null ? 'null' : typeof leaf)).map((line) =>
      line.replaceAll(/\[[^\]]+\]/gu, '[]'),
    ),
  );
}

/** Replaces ports and times, which differ from run to run. */
function withoutAccidents(text: string): string {
  return text.replaceAll(/:\d{4,5}\b/gu, ':<port>').replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/gu, '<time>');
}

function walk(value: unknown, path: string, print: (leaf: unknown) => string): readonly string[] {
  if (Array.isArray(value)) {
    if (value.length === 0) return [`${path}: []`];
    return value.flatMap((item) => walk(item, `${path}[${nameOf(item)}]`, print));
  }
  if (typeof value !== 'object' || value === null) return [`${path}: ${print(value)}`];
  return Object.entries(value).flatMap(([key, inner]) => {
    const at = path === '' ? key : `${path}.${key}`;
    return SENTENCES.has(key) && inner !== null ? [`${at}: <text>`] : walk(inner, at, print);
  });
}

function nameOf(item: unknown): string {
  if (typeof item !== 'object' || item === null) return '';
  const { id, rule } = { id: null, rule: null, ...item };
  const name = id ?? rule;
  return typeof name === 'string' ? withoutAccidents(name) : '';
}

function printed(leaf: unknown): string {
  return withoutAccidents(JSON.stringify(leaf));
}

function sorted(lines: readonly string[]): readonly string[] {
  return [...new Set(lines)].toSorted();
}

/** The stable interface of one version of the program: sorted lines, by the name of their source. */
export type Contract = Readonly<Record<string, readonly string[]>>;

/** The faults for which `check --json` is recorded. */
const STATES: readonly string[] = ['inspection', 'dns', 'license', 'egress', 'mail'];

/** Runs the program with this `main.ts` in the lab and records its output. */
export async function recordContract(main: string): Promise<Contract> {
  await using lab = await createLab();
  return { schema: await schemaOf(main, lab), ...(await checksOf(main, lab)), ...(await pageOf(main, lab)) };
}

async function schemaOf(main: string, { folder }: Lab): Promise<readonly string[]> {
  const { stdout } = await runFtmWatch(['config', 'schema'], { cwd: folder, main });
  const schema: unknown = JSON.parse(stdout);
  // Wording may change.
  return linesOf(schema).filter((line) => !/(?:^|\.)(?:description|title): /u.test(line));
}

async function checksOf(main: string, lab: Lab): Promise<Contract> {
  const checks: Record<string, readonly string[]> = { 'check-ready': await checkOf(main, lab) };
  for (const scenario of SCENARIOS.filter(({ name }) => STATES.includes(name))) {
    await scenario.begin(lab);
    checks[`check-${scenario.name}`] = await checkOf(main, lab);
    await scenario.end(lab);
  }
  return checks;
}

async function checkOf(main: string, { folder, configFile }: Lab): Promise<readonly string[]> {
  const { stdout, exitCode } = await runFtmWatch(['check', '--json', '--config', configFile], { cwd: folder, main });
  return [...linesOf(JSON.parse(stdout)), `exit code: ${String(exitCode)}`];
}

/** Records the page of a daemon that has reported an inspection. */
async function pageOf(main: string, lab: Lab): Promise<Contract> {
  await using daemon = await startDaemon(lab.configFile, lab.folder, main);
  const signal = AbortSignal.timeout(60_000);
  await daemon.diagnosis(({ ready }) => ready === 'ready', signal);
  await lab.inspect(true);
  await lab.inbox.mail(({ event, cause }) => event === 'firing' && cause === 'tls-intercepted', signal);
  // The server has the mail before the daemon knows that it was accepted.
  await daemon.logged('notification-delivered');
  const metrics = seriesIn(await daemon.get('/metrics').then((answer) => answer.text()));
  const http: string[] = [];
  for (const request of REQUESTS) http.push(...(await answerTo(daemon, lab, request)));
  return { metrics, http };
}

const SILENCE = { duration: '2h', by: 'Ada', comment: 'on its way' };

/** All routes that can be called here, in an order that produces content. */
const REQUESTS: readonly { readonly method: string; readonly path: string; readonly body?: unknown }[] = [
  { method: 'GET', path: '/' },
  { method: 'GET', path: '/static/style.css' },
  { method: 'GET', path: '/static/live.js' },
  { method: 'GET', path: '/metrics' },
  { method: 'GET', path: '/-/healthy' },
  { method: 'GET', path: '/-/ready' },
  { method: 'GET', path: '/api/v1/status' },
  { method: 'GET', path: '/api/v1/prtg' },
  { method: 'GET', path: '/api/v1/incidents' },
  { method: 'GET', path: '/api/v1/notifications' },
  { method: 'GET', path: '/api/v1/history' },
  { method: 'HEAD', path: '/api/v1/events' },
  { method: 'POST', path: '/api/v1/silences', body: SILENCE },
  { method: 'POST', path: '/api/v1/silences', body: {} },
  { method: 'GET', path: '/api/v1/silences' },
  { method: 'DELETE', path: '/api/v1/silences/none' },
  { method: 'GET', path: `/probe?module=tcp&target=${LICENSE_HOST}` },
  { method: 'GET', path: '/probe?target=elsewhere.example.org' },
  { method: 'GET', path: '/probe' },
  { method: 'POST', path: '/metrics' },
  { method: 'GET', path: '/nothing' },
  // The page is closed for a moment afterwards.
  { method: 'POST', path: '/-/reload' },
];

type Asked = (typeof REQUESTS)[number];

/** Returns the page's answer or, if the page has no account for a change, the control socket's. */
async function answerTo(daemon: Daemon, lab: Lab, asked: Asked): Promise<readonly string[]> {
  const { method, path, body } = asked;
  const headers = body === undefined ? {} : { 'Content-Type': 'application/json' };
  const sent = body === undefined ? {} : { body: JSON.stringify(body) };
  const answer = await fetch(new URL(path, daemon.url), { method, headers, ...sent });
  const overNetwork = linesOfAnswer(asked, {
    status: answer.status,
    type: answer.headers.get('Content-Type') ?? 'nothing',
    text: await answer.text(),
  });
  if (method === 'GET' || answer.status !== 403) return overNetwork;
  const socket = join(lab.folder, 'data', 'ftm-watch.sqlite.sock');
  return [...overNetwork, ...linesOfAnswer(asked, await askSocket(socket, { method, path, headers, ...sent }))];
}

function linesOfAnswer({ method, path }: Asked, { status, type, text }: SocketAnswer): readonly string[] {
  const head = `${method} ${path} ${String(status)}`;
  const shape = type.startsWith('application/json') ? shapeOf(JSON.parse(text)) : [];
  return [`${head} ${type}`, ...shape.map((line) => `${head} ${line}`)];
}

/** The values of these labels differ between versions and runs. */
const FREE_LABELS: ReadonlySet<string> = new Set(['version', 'node']);

/** Returns names, types, labels and the values of our labels. */
function seriesIn(text: string): readonly string[] {
  const types = text.split('\n').filter((line) => line.startsWith('# TYPE '));
  const labels = parseExposition(text).flatMap(({ name, labels: pairs }) => [
    `${name} {${Object.keys(pairs).join(',')}}`,
    ...Object.entries(pairs)
      .filter(([label]) => name.startsWith('ftm_') && !FREE_LABELS.has(label))
      .map(([label, value]) => `${name} ${label}="${withoutAccidents(value)}"`),
  ]);
  return [...new Set([...types, ...labels])].toSorted();
}
