import { createServer } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Agent } from 'undici';
import { listening, type Listening } from '../../../../src/demo/lab/listening.ts';
import { exchangeJson } from '../../../../src/network/rest/json-exchange.ts';
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
  const agent = new Agent();
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
    ['as many values as there may be', ['[', '1,'.repeat(30_000), '1,'.repeat(35_534), '1]']],
  ])('reads %s', async (_, answer) => {
    expect(await read(...answer)).toMatchObject({ kind: 'json', value: JSON.parse(answer.join('')) });
  });

  it.each([
    ['one byte more', [`"${'x'.repeat(MEBIBYTE - 10)}`, `${'y'.repeat(9)}"`], '1048576 bytes'],
    ['one value more', ['[', '1,'.repeat(30_000), '1,'.repeat(35_535), '1]'], '65536 values'],
    ['as many objects', [`[${'{},'.repeat(32_768)}{}]`], '65536 values'],
  ])('refuses %s', async (_, answer, most) => {
    await expect(read(...answer)).rejects.toMatchObject({
      reason: 'protocol',
      message: `Cannot read the response: expected at most ${most}`,
    });
  });
});
