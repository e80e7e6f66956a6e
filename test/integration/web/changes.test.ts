import { once } from 'node:events';
import { request } from 'node:http';
import { expect, test } from 'vitest';
import type { Silence } from '../../../src/engine/incident/incident.ts';
import { HOUR, START } from '../../support/incident-timeline.ts';
import { startWeb, type WebBench } from '../../support/web-bench.ts';

const SILENCE: Silence = {
  id: 'silence-1',
  cause: null,
  subject: null,
  from: START,
  until: Date.now() + HOUR,
  by: 'Ada',
  comment: 'x',
};
type Change = readonly [method: string, path: string, body: string];
const RELOAD: Change = ['POST', '/-/reload', ''];
const ADD: Change = ['POST', '/api/v1/silences', JSON.stringify({ duration: '2h', by: 'Mallory', comment: 'x' })];
const REMOVE: Change = ['DELETE', '/api/v1/silences/silence-1', ''];
const CHANGES = [RELOAD, ADD, REMOVE];

function isUntouched({ state }: WebBench): boolean {
  return state.reloads === 0 && state.silences.length === 1;
}

test.each(CHANGES)('who is on this machine may change things without users: %s %s', async (method, path, body) => {
  await using web = await startWeb({ config: { listen: { address: '::', port: 0 } }, state: { silences: [SILENCE] } });

  const sent = request({
    host: '127.0.0.1',
    port: web.port,
    method,
    path,
    headers: { 'Content-Type': 'application/json' },
  });
  sent.end(body);
  const [response] = await once(sent, 'response');
  response.resume();

  expect([200, 201, 204]).toContain(response.statusCode);
  expect(isUntouched(web)).toBe(false);
});
