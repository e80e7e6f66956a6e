import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createIdentity } from '../../../src/demo/lab/identity.ts';
import { createDaemonBench } from '../../support/process/daemon-bench.ts';
import { startDaemonProcess, type DaemonProcess } from '../../support/process/daemon-process.ts';
import { createHttpsPeer, type HttpsPeer } from '../../../src/demo/lab/https-peer.ts';
import { until } from '../../support/time/until.ts';

const LIMIT_MS = 30_000;
/** The maximum time that another request waits in the meantime. */
const PROMPT_MS = 200;
const TURNS = fileURLToPath(new URL('./longest-turn.ts', import.meta.url));
const MEBIBYTE = 1024 * 1024;

const FRAME = '"sn":"FAC-VM0000000001","meta":{"next":null}';

/** As many copies of the piece as fit within both limits, in a frame that the appliance's parsers accept. */
function listOf(piece: string, { bytes = MEBIBYTE - 200, values = 65_000, key = 'objects' } = {}): string {
  const own = piece.split(/[,[{]/u).length;
  const times = Math.min(Math.floor(bytes / (piece.length + 1)), Math.floor(values / own));
  return `{${FRAME},"${key}":[${Array.from({ length: times }, () => piece).join(',')}]}`;
}

/** Unique field names, so that V8 cannot share anything between objects. */
function fields(count: number): string {
  const named = Array.from({ length: count }, (_, index) => `"${index.toString(36).padStart(8, 'k')}":1`);
  return `{${FRAME},${named.join(',')}}`;
}

const nested = (levels: number): string => `{${FRAME},"objects":${'['.repeat(levels)}${']'.repeat(levels)}}`;

const ANSWERS: readonly (readonly [string, string])[] = [
  ['4 MiB of short strings', listOf('"a"', { bytes: 4 * MEBIBYTE - 200, values: Infinity })],
  ['1 MiB of short strings', listOf('"a"', { values: Infinity })],
  ['short strings', listOf('"a"')],
  ['numbers in place of objects', listOf('1')],
  ['empty objects', listOf('{}')],
  ['tokens', listOf('{"serial":"FTKMOB0000000000"}')],
  ['escapes', listOf('"\\u0061\\u0062"')],
  ['strings beside what is read', listOf('"a"', { key: 'other' })],
  ['fields', fields(65_000)],
  ['levels', nested(65_000)],
  ['1 MiB of levels', nested(MEBIBYTE / 2 - 100)],
  ['one text', `{${FRAME},"firmware":"${'dGhl'.repeat(MEBIBYTE / 4 - 50)}"}`],
  [
    'pages that never end',
    listOf('{"serial":"FTKMOB0000000000"}').replace('null', '"/api/v1/fortitokens/?offset=NEXT"'),
  ],
];

let fac: HttpsPeer;
let daemon: DaemonProcess;
let turnsFile = '';
let answer = '{}';

const site = await createDaemonBench();

beforeAll(async () => {
  const identity = await createIdentity({ name: 'CN=fac', ipAddresses: ['127.0.0.1'] });
  let requests = 0;
  fac = await createHttpsPeer({
    identity,
    answer: ({ path }) => {
      requests += 1;
      const body = path.includes('systeminfo') ? '{"sn":"FAC-VM0000000001"}' : answer;
      return { status: 200, body: body.replace('NEXT', String(requests)) };
    },
  });
  await writeFile(join(site.folder, 'fac.key'), 'web-service-key', { mode: 0o600 });
  await writeFile(join(site.folder, 'fac.pem'), identity.pem);
  await site.configure({
    schedule: { probes: '0 0 0 29 2 *', appliance: '* * * * * *' },
    appliances: [
      {
        name: 'fac-1',
        serial: 'FAC-VM0000000001',
        api: { url: fac.url, user: 'monitor', keyFile: 'fac.key', caFile: 'fac.pem' },
      },
    ],
  });
  turnsFile = join(site.folder, 'longest-turn');
  daemon = startDaemonProcess({
    cwd: site.folder,
    args: ['-c', 'ftm-watch.yaml'],
    env: { NODE_OPTIONS: `--import ${TURNS}`, LONGEST_TURN: turnsFile },
  });
  await daemon.page();
  await until(
    () => daemon.status(),
    (status) => status !== null,
    LIMIT_MS,
  );
});
afterAll(async () => {
  await daemon[Symbol.asyncDispose]();
  await fac.close();
  await site[Symbol.asyncDispose]();
});

/** Returns the longest turn since the last call, in milliseconds of processor time. */
async function longestTurn(): Promise<number> {
  await rm(turnsFile, { force: true });
  daemon.signal('SIGUSR2');
  return Number(
    await until(
      () => readFile(turnsFile, 'utf8').catch(() => ''),
      (text) => text !== '',
      LIMIT_MS,
    ),
  );
}

/** Checks that the daemon is healthy until it has sent `requests` more requests. */
async function watchOver(requests: number): Promise<void> {
  const last = fac.requests.length + requests;
  await until(
    async () => {
      const response = await daemon.fetch('-/healthy');
      expect(response.status).toBe(200);
      return fac.requests.length;
    },
    (count) => count >= last,
    LIMIT_MS,
  );
}

describe('an appliance that was taken over', () => {
  test.each(ANSWERS)('holds nothing up with %s', async (_, hostile) => {
    answer = hostile;
    await longestTurn();

    await watchOver(12);

    expect(await longestTurn()).toBeLessThan(PROMPT_MS);
  });
});
