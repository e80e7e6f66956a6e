import type { Dispatcher } from 'undici';
import { ProbeError } from '../failure.ts';

/** A page of 1,000 tokens has some 300 KB. */
const MAX_BYTES: number = 1024 * 1024;

/** What reads an answer costs by its values more than by its bytes. That page has some 10,000. */
const MAX_VALUES: number = 64 * 1024;

/** Room for most answers. */
const FIRST_BYTES: number = 16 * 1024;

const [COMMA, BRACKET, BRACE] = [0x2c, 0x5b, 0x7b];

/**
 * The body of a JSON answer, bounded in size and in values, before anything looks at it as JSON. The caller bounds the
 * time.
 * @throws {ProbeError} when it is more than that, or in an encoding
 */
export async function readBody({ headers, body }: Pick<Dispatcher.ResponseData, 'headers' | 'body'>): Promise<string> {
  const encoding = headers['content-encoding'];
  if (encoding !== undefined && encoding !== 'identity') {
    body.on('error', () => undefined).destroy();
    throw new ProbeError('protocol', 'Cannot read the answer: expected no content encoding, since none was offered');
  }
  // Joined at once: a peer may send a million pieces of one byte.
  let bytes = Buffer.allocUnsafe(FIRST_BYTES);
  let size = 0;
  let values = 1;
  // Leaving the loop destroys the body, and with it the connection.
  for await (const chunk of body) {
    if (!(chunk instanceof Uint8Array)) continue;
    const wanted = size + chunk.length;
    values += valuesBegunIn(chunk);
    if (wanted > MAX_BYTES) throw tooMuch(MAX_BYTES, 'bytes');
    if (values > MAX_VALUES) throw tooMuch(MAX_VALUES, 'values');
    if (wanted > bytes.length) bytes = Buffer.concat([bytes.subarray(0, size)], Math.max(wanted, 2 * bytes.length));
    bytes.set(chunk, size);
    size = wanted;
  }
  return bytes.toString('utf8', 0, size);
}

/** At least: before each value but the first stands one of these. They stand in texts too, and seldom there. */
function valuesBegunIn(bytes: Uint8Array): number {
  let count = 0;
  for (const byte of bytes) if (byte === COMMA || byte === BRACKET || byte === BRACE) count += 1;
  return count;
}

function tooMuch(most: number, what: string): ProbeError {
  return new ProbeError('protocol', `Cannot read the answer: expected at most ${String(most)} ${what}`);
}
