import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { Agent, type IncomingMessage, request } from 'node:http';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createStore } from '../../../src/store/store.ts';
import { startDaemon } from '../../../src/demo/daemon.ts';
import { freePort } from '../../support/network/free-port.ts';
import { PROGRAM } from '../../support/process/program.ts';
import { createLab } from '../../../src/demo/lab/lab.ts';
import { handClock } from '../../support/time/hand-clock.ts';
import { logRecorder } from '../../support/process/log-recorder.ts';
import { storedRows } from '../../support/store/stored-rows.ts';

const DAY = 86_400_000;
/** The nightly run sends 20,000. */
const REFUSED = Number(process.env['FTM_REFUSED_REQUESTS'] ?? '2000');
const FORM = 'application/x-www-form-urlencoded';
const STORE = 'data/ftm-watch.sqlite';

interface Change {
  readonly id: number;
  readonly account: string;
  readonly action: string;
  readonly detail: string;
}

interface Trail {
  readonly changes: readonly Change[];
  readonly refused: readonly { readonly account: string; readonly address: string; readonly count: number }[];
  readonly more: boolean;
}

/** Starts a daemon with an operator, a viewer, an open incident and an 89-day-old change. */
async function startSite() {
  await using stack = new AsyncDisposableStack();
  const tokens = [
    { name: 'operator', tokenFile: 'operator', role: 'change' },
    { name: 'viewer', tokenFile: 'viewer', role: 'read' },
  ];
  const lab = stack.use(await createLab({ web: { listen: `127.0.0.1:${String(await freePort())}`, tokens } }));
  for (const { name } of tokens) await writeFile(join(lab.folder, name), `token-of-${name}`);
  rememberOldChange(join(lab.folder, STORE));
  const daemon = stack.use(await startDaemon(lab.configFile, lab.folder, PROGRAM));
  const agent = new Agent({ keepAlive: true, maxSockets: 8 });
  stack.defer(() => agent.destroy());
  await lab.inspect(true);
  await lab.inbox.mail(
    ({ event, cause }) => event === 'firing' && cause === 'tls-intercepted',
    AbortSignal.timeout(60_000),
  );
  const owned = stack.move();

  async function ask(
    account: string,
    method: string,
    path: string,
    [type, body]: readonly [string, string] = [FORM, ''],
  ) {
    const headers = {
      Authorization: `Bearer token-of-${account}`,
      'Content-Type': type,
      'Content-Length': Buffer.byteLength(body),
    };
    const sent = request(new URL(path, daemon.url), { method, headers, agent });
    sent.end(body);
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    let text = '';
    for await (const chunk of response) text += String(chunk);
    return { status: response.statusCode ?? 0, text };
  }

  return {
    folder: lab.folder,
    ask,
    json: async <T>(path: string): Promise<T> => JSON.parse((await ask('viewer', 'GET', path)).text) as T,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

function rememberOldChange(path: string): void {
  const deps = { clock: handClock(Date.now() - 89 * DAY), logger: logRecorder() };
  const store = createStore({ path, retention: 90 * DAY }, deps);
  store.recordChange({
    at: Date.now() - 89 * DAY,
    action: 'reload',
    account: 'operator',
    address: null,
    incident: null,
    cause: null,
    subject: null,
    detail: 'of 89 days ago',
  });
  store.close();
}

test(`${String(REFUSED)} refused requests of a viewer displace nothing that was changed`, {
  timeout: 240_000,
}, async () => {
  await using site = await startSite();
  const { incidents } = await site.json<{ incidents: readonly { readonly id: string }[] }>('api/v1/incidents');
  const page = `incidents/${incidents[0]?.id ?? ''}`;
  const silence = JSON.stringify({
    cause: 'mail-unreachable',
    duration: '2h',
    by: 'x',
    comment: 'The mail server moves',
  });
  expect((await site.ask('operator', 'POST', 'api/v1/silences', ['application/json', silence])).status).toBe(201);
  expect((await site.ask('operator', 'POST', '-/reload')).status).toBe(200);
  expect((await site.ask('operator', 'POST', `${page}/acknowledge`)).status).toBe(303);
  for (const comment of ['Asked the provider', 'Case 42', 'The exemption is ready'])
    expect((await site.ask('operator', 'POST', `${page}/comment`, [FORM, `comment=${comment}`])).status).toBe(303);

  const attacks = [
    () => site.ask('viewer', 'POST', `${page}/comment`, [FORM, 'comment=x']),
    () => site.ask('viewer', 'POST', 'api/v1/silences', ['application/json', silence]),
    () => site.ask('viewer', 'POST', '-/reload'),
    () => site.ask('viewer', 'DELETE', 'api/v1/silences/any'),
  ];
  const statuses = new Set<number>();
  let left = REFUSED;
  await Promise.all(
    Array.from({ length: 8 }, async () => {
      for (; left > 0; ) {
        left -= 1;
        statuses.add((await attacks[left % attacks.length]?.())?.status ?? 0);
      }
    }),
  );
  expect(statuses).toEqual(new Set([403]));

  const kept = ['of 89 days ago', 'mail server moves', 'taken', 'Asked the provider', 'Case 42', 'exemption is ready'];
  const trail = await site.json<Trail>('api/v1/audit');
  const inFile = storedRows(join(site.folder, STORE), "SELECT detail FROM audit WHERE account = 'operator'");
  const shown = [
    JSON.stringify(inFile),
    JSON.stringify(trail.changes.filter(({ account }) => account === 'operator')),
    (await site.ask('viewer', 'GET', 'changes')).text,
  ];
  for (const text of shown) for (const detail of kept) expect(text).toContain(detail);
  const incident = await site.ask('viewer', 'GET', page);
  for (const words of ['Acknowledged by operator', ...kept.slice(3)]) expect(incident.text).toContain(words);

  // Refused requests are recorded as well, in a few rows.
  expect(trail.refused.reduce((sum, { count }) => sum + count, 0)).toBe(REFUSED);
  expect(new Set(trail.refused.map(({ account, address }) => `${account} ${address}`))).toEqual(
    new Set(['viewer 127.0.0.1']),
  );
  expect(trail.refused.length).toBeLessThan(10);
});
