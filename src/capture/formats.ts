import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';

import { messageOf } from '../text/message-of.ts';
import { createPcapngReader, createPcapReader, PCAP_MAGIC, SECTION_HEADER } from './pcap.ts';
import { CaptureError, type FormatReader, type OnPacket } from './raw-packet.ts';
import { createTextReader } from './text-dump.ts';

/** The reader of a file, null where no format was recognised; and why reading ended before the end of the file. */
export interface ReadFormat {
  readonly reader: FormatReader | null;
  readonly problem: string | null;
}

/** Enough of a file to recognise its format. */
const ENOUGH = 4;

/**
 * Reads a capture in any format, also compressed with gzip, and hands on each packet. Never throws because of what the
 * file contains: packets up to the first fault count.
 *
 * @param file its pieces, each of which may be overwritten when the next one is asked for
 * @param onPacket what it throws is thrown on
 */
export async function readFormat(file: AsyncIterable<Uint8Array>, onPacket: OnPacket): Promise<ReadFormat> {
  let reader: FormatReader | null = null;
  try {
    for await (const chunk of unzipped(atLeast(file, ENOUGH))) {
      reader ??= readerFor(chunk, onPacket);
      reader.read(chunk);
    }
    if (reader === null) throw new CaptureError('the file has too few bytes for a capture');
    reader.end();
    return { reader, problem: null };
  } catch (error) {
    if (error instanceof CaptureError) return { reader, problem: error.message };
    throw error;
  }
}

/** The same bytes, of which the first piece has enough to be recognised. */
async function* atLeast(file: AsyncIterable<Uint8Array>, enough: number): AsyncGenerator<Buffer> {
  let first = Buffer.alloc(0);
  for await (const piece of file) {
    const chunk = Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength);
    if (first.length >= enough) yield chunk;
    else {
      first = Buffer.concat([first, chunk]);
      if (first.length >= enough) yield first;
    }
  }
}

async function* unzipped(file: AsyncGenerator<Buffer>): AsyncGenerator<Buffer> {
  for await (const chunk of file) {
    const isGzip = chunk[0] === 0x1f && chunk[1] === 0x8b;
    if (!isGzip) yield chunk;
    yield* isGzip ? gunzipped(chunk, file) : file;
  }
}

async function* gunzipped(first: Buffer, rest: AsyncGenerator<Buffer>): AsyncGenerator<Buffer> {
  // A stream keeps pieces, whose memory the reader of the file uses again.
  async function* copies(): AsyncGenerator<Buffer> {
    yield first;
    for await (const chunk of rest) yield Buffer.from(chunk);
  }
  const gunzip = createGunzip();
  const source = Readable.from(copies()).on('error', (error) => gunzip.destroy(error));
  try {
    yield* atLeast(source.pipe(gunzip), ENOUGH);
  } catch (error) {
    const isOfGzip = error instanceof Error && 'code' in error && String(error.code).startsWith('Z_');
    throw isOfGzip ? new CaptureError(`the gzip data cannot be unpacked: ${messageOf(error)}`) : error;
  } finally {
    source.destroy();
    gunzip.destroy();
  }
}

function readerFor(first: Buffer, onPacket: OnPacket): FormatReader {
  const [big, little] = [first.readUInt32BE(0), first.readUInt32LE(0)];
  if (big === SECTION_HEADER) return createPcapngReader(onPacket);
  if (PCAP_MAGIC.has(big) || PCAP_MAGIC.has(little)) return createPcapReader(PCAP_MAGIC.has(little), onPacket);
  // Printable, or what a terminal log holds besides.
  if (first.subarray(0, 512).every((byte) => byte >= 0x20 || [7, 8, 9, 10, 13, 27].includes(byte)))
    return createTextReader(onPacket);
  throw new CaptureError(
    `the file begins with 0x${first.toString('hex', 0, 4)}: expected pcap, pcapng, either of them in gzip, or the ` +
      'text of "diagnose sniffer packet" or "tcpdump -X"',
  );
}
