import { once } from 'node:events';
import { request } from 'node:http';
import { networkInterfaces } from 'node:os';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Silence } from '../../../src/core/incident/incident.ts';
import { hashPassword } from '../../../src/web/scrypt-hash.ts';
import { HOUR, START } from '../../support/incident-timeline.ts';
import { basicAuth, startWeb, type WebBench } from '../../support/web-bench.ts';

const SILENCE: Silence = { id: 'silence-1', cause: null, subject: null, from: START, until: Date.now() + HOUR, by: 'Ada', comment: 'x' };
type Change = readonly [method: string, path: string, body: string];
const RELOAD: Change = ['POST', '/-/reload', ''];
const ADD: Change = ['POST', '/api/v1/silences', JSON.stringify({ duration: '2h', by: 'Mallory', comment: 'x' })];
const REMOVE: Change = ['DELETE', '/api/v1/silences/silence-1', ''];
const CHANGES = [RELOAD, ADD, REMOVE];
const USERS = [{ name: 'ops', passwordHash: { kind: 'env', name: 'OPS_HASH' } }] as const;

/** An address of this machine that is not its loopback's: the server cannot tell who calls from it from another machine. */
const NEIGHBOUR = Object.values(networkInterfaces())
  .flat()
  .find((own) => own !== undefined && !own.internal && own.family === 'IPv4')?.address;

interface Asked {
  readonly from: string;
  readonly headers?: Readonly<Record<string, string>>;
}

async function ask(web: WebBench, [method, path, body]: Change, { from, headers = {} }: Asked) {
  const sent = request({
    host: '127.0.0.1',
    port: web.port,
    localAddress: from,
    method,
    path,
    headers: { 'Content-Type': 'application/json', 'Content-Length': body.length, ...headers },
  });
  sent.end(body);
  const [response] = await once(sent, 'response');
  return { status: response.statusCode as number, body: await text(response) };
}

function isUntouched({ state }: WebBench): boolean {
  return state.reloads === 0 && state.silences.length === 1;
}

describe.skipIf(NEIGHBOUR === undefined)('somebody else on the network', () => {
  const from = NEIGHBOUR ?? '';
  let web: WebBench;

  beforeAll(async () => {
    web = await startWeb({ state: { silences: [SILENCE] } });
  });

  afterAll(() => web[Symbol.asyncDispose]());

  test.each(CHANGES)('changes nothing without users, and is told what would help: %s %s', async (...change) => {
    const { status, body } = await ask(web, change, { from });

    expect(status).toBe(403);
    expect(body).toContain('set web.users, or run the command on the machine itself');
    expect(body).toContain(from);
    expect(isUntouched(web)).toBe(true);
  });

  test.each(CHANGES)('is not believed to be on this machine because a header says so: %s %s', async (...change) => {
    const headers = { 'X-Forwarded-For': '127.0.0.1', Forwarded: 'for=127.0.0.1', 'X-Real-IP': '127.0.0.1', Host: 'localhost' };

    expect((await ask(web, change, { from, headers })).status).toBe(403);
    expect(isUntouched(web)).toBe(true);
  });

  test('may read', async () => {
    const sent = request({ host: '127.0.0.1', port: web.port, localAddress: from, path: '/api/v1/silences' }).end();
    const [response] = await once(sent, 'response');

    expect(response.statusCode).toBe(200);
    response.resume();
  });

  test('may change things with a password', async () => {
    const env = { OPS_HASH: await hashPassword('secret', { ln: 4, r: 8, p: 1 }) };
    await using guarded = await startWeb({ config: { users: USERS }, env, state: { silences: [SILENCE] } });
    const { headers } = basicAuth('ops', 'secret');

    expect((await ask(guarded, RELOAD, { from })).status).toBe(401);
    expect((await ask(guarded, RELOAD, { from, headers })).status).toBe(200);
    expect((await ask(guarded, REMOVE, { from, headers })).status).toBe(204);
  });
});

test.each(CHANGES)('who is on this machine may change things without users: %s %s', async (...change) => {
  await using web = await startWeb({ config: { listen: { address: '::', port: 0 } }, state: { silences: [SILENCE] } });

  expect([200, 201, 204]).toContain((await ask(web, change, { from: '127.0.0.1' })).status);
  expect(isUntouched(web)).toBe(false);
});
