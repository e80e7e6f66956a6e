import { writeFile } from 'node:fs/promises';
import type { RequestListener } from 'node:http';
import { createServer } from 'node:https';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { PeerObservation } from '../../../src/core/round.ts';
import { listening, type Listening } from '../../../src/demo/lab/listening.ts';
import { observePeer } from '../../../src/connectors/peers.ts';
import { createIdentity } from '../../../src/demo/lab/identity.ts';
import { connectorContext } from '../../support/connectors/connector-context.ts';
import { folderOfAllTests } from '../../support/process/test-folder.ts';

const TOKEN = 'a-token-that-may-read';

const folder = folderOfAllTests();
let server: Listening;
let answer: RequestListener;

beforeAll(async () => {
  const { pem, keyPem } = await createIdentity({ name: 'CN=peer', ipAddresses: ['127.0.0.1'] });
  await writeFile(folder.at('ca.pem'), pem);
  server = await listening(createServer({ cert: pem, key: keyPem }, (request, response) => answer(request, response)));
});
afterAll(() => server.close());

function observe(caFile = folder.at('ca.pem')): Promise<PeerObservation> {
  const url = `https://127.0.0.1:${String(server.port)}`;
  const token = { kind: 'env', name: 'TOKEN' } as const;
  return observePeer({ name: 'dmz', url, token, caFile }, connectorContext({ env: { TOKEN } }));
}

function answerJson(value: unknown): void {
  answer = (request, response) => {
    const isAllowed = request.headers.authorization === `Bearer ${TOKEN}` && request.url === '/api/v1/status';
    response.writeHead(isAllowed ? 200 : 401, { 'content-type': 'application/json' }).end(JSON.stringify(value));
  };
}

function status(at: number): object {
  return {
    ready: 'ready',
    site: 'hq',
    at: new Date(at).toISOString(),
    preconditions: [{ id: 'tls-genuine', state: 'ok', summary: '', blockedBy: [], findings: [{ rule: 'some-rule' }] }],
    causes: [],
  };
}

test('reads a status with its token, and nothing else than its certificate is believed', async () => {
  answerJson(status(Date.now()));
  expect(await observe()).toMatchObject({
    kind: 'seen',
    peer: 'dmz',
    preconditions: [{ id: 'tls-genuine', state: 'ok', isHearsay: false, seesNoFault: true }],
  });
  const other = await createIdentity({ name: 'CN=other', ipAddresses: ['127.0.0.1'] });
  await writeFile(folder.at('other.pem'), other.pem);
  expect(await observe(folder.at('other.pem'))).toMatchObject({ kind: 'failed', peer: 'dmz' });
});

test.for([
  ['ok', ['some-rule'], { isHearsay: false, seesNoFault: true }],
  ['broken', ['some-rule'], { isHearsay: false, seesNoFault: false }],
  ['broken', ['some-rule', 'peer-sees-no-fault'], { isHearsay: true, seesNoFault: true }],
  ['broken', ['peer-sees-no-fault-instead'], { isHearsay: true, seesNoFault: false }],
] as const)('a precondition that is %s with the findings %j', async ([state, rules, expected]) => {
  const precondition = { id: 'tls-genuine', state, findings: rules.map((rule) => ({ rule })) };
  answerJson({ ...status(Date.now()), preconditions: [precondition] });
  expect(await observe()).toMatchObject({ preconditions: [{ id: 'tls-genuine', state, ...expected }] });
});

test.for([
  ['that is old', status(Date.now() - 3_600_000), 'the peer or its clock has stopped'],
  ['of another version', { ...status(Date.now()), causes: [{ id: 'x' }] }, 'expected the status from the same version'],
  ['that is none', ['hello'], 'expected the status from the same version'],
] as const)('a status %s is unknown', async ([, value, message]) => {
  answerJson(value);
  expect(await observe()).toMatchObject({ kind: 'failed', peer: 'dmz', message: expect.stringContaining(message) });
});

test('a refused token is said, and never shown', async () => {
  answer = (_, response) => response.writeHead(401).end(TOKEN);
  const seen = await observe();
  expect(seen).toMatchObject({ kind: 'failed', message: expect.stringContaining('HTTP status 401') });
  expect(JSON.stringify(seen)).not.toContain(TOKEN);
});
