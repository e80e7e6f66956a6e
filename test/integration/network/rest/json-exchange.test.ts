import { createServer } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { listening, type Listening } from '../../../../src/demo/lab/listening.ts';
import { createVerifiedAgent, exchangeJson } from '../../../../src/network/rest/json-exchange.ts';
import { failureReason } from '../../../../src/network/failure.ts';
import { nextTurn, systemClock } from '../../../../src/system/clock.ts';

const MEBIBYTE = 1024 * 1024;

let server: Listening;
/** The response body, chunk by chunk. */
let pieces: readonly string[] = [];

beforeAll(async () => {
  server = await listening(
    createServer((_, response) => {
      for (const piece of pieces) response.write(piece);
      response.end();
    }),
  );
});
afterAll(() => server.close());

async function read(...answer: readonly string[]): Promise<unknown> {
  pieces = answer;
  const agent = await createVerifiedAgent({ caFile: null, pin: null });
  try {
    return await exchangeJson(
      agent,
      `http://127.0.0.1:${String(server.port)}`,
      { method: 'GET', path: '/', headers: {}, withoutSecrets: String },
      { clock: systemClock, signal: new AbortController().signal, ownTurn: nextTurn },
    );
  } finally {
    await agent.destroy();
  }
}

describe('exchangeJson()', () => {
  it.each([
    ['pieces of one byte', Array.from(`[${Array.from({ length: 3000 }, () => '{"a":"äöü"}').join(',')}]`)],
    ['as many bytes as there may be', [`"${'x'.repeat(MEBIBYTE - 10)}`, `${'y'.repeat(8)}"`]],
  ])('reads %s', async (_, answer) => {
    expect(await read(...answer)).toMatchObject({ kind: 'json', value: JSON.parse(answer.join('')) });
  });

  it('reads nested lists, however deep', async () => {
    const depth = MEBIBYTE / 2;
    expect(await read('['.repeat(depth), ']'.repeat(depth))).toMatchObject({ kind: 'json' });
  });

  it('refuses one byte more', async () => {
    const error: unknown = await read(`"${'x'.repeat(MEBIBYTE - 10)}`, `${'y'.repeat(9)}"`).catch(
      (one: unknown) => one,
    );
    expect(failureReason(error)).toBe('protocol');
  });
});
