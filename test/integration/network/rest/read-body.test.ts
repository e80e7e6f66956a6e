import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { request } from 'undici';
import { readBody } from '../../../../src/network/rest/json-exchange.ts';

const MEBIBYTE = 1024 * 1024;

let server: Server;
/** The response body, chunk by chunk. */
let pieces: readonly string[] = [];

beforeAll(async () => {
  server = createServer((_, response) => {
    for (const piece of pieces) response.write(piece);
    response.end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
});

async function read(...answer: readonly string[]): Promise<string> {
  pieces = answer;
  const { port } = server.address() as AddressInfo;
  return readBody(await request(`http://127.0.0.1:${String(port)}/`));
}

describe('readBody()', () => {
  it.each([
    ['nothing', []],
    ['pieces of one byte', Array.from('{"a":"äöü"}'.repeat(3000))],
    ['as many bytes as there may be', ['x'.repeat(MEBIBYTE - 10), 'y'.repeat(10)]],
    ['as many values as there may be', ['['.repeat(30_000), '{'.repeat(5_535), ','.repeat(30_000)]],
  ])('gives %s as a text', async (_, answer) => {
    expect(await read(...answer)).toBe(answer.join(''));
  });

  it.each([
    ['one byte more', ['x'.repeat(MEBIBYTE - 10), 'y'.repeat(11)], '1048576 bytes'],
    ['one value more', ['['.repeat(30_000), '{'.repeat(5_536), ','.repeat(30_000)], '65536 values'],
  ])('refuses %s', async (_, answer, most) => {
    await expect(read(...answer)).rejects.toMatchObject({
      reason: 'protocol',
      message: `Cannot read the response: expected at most ${most}`,
    });
  });
});
