const HEADER_BYTES = 12;
const TYPE_A = 1;
const TTL_SECONDS = 300;

/**
 * An answer to a question of one name: 127.0.0.1 for every A, nothing for anything else. By hand, since the load is
 * high.
 */
export function answerTo(query: Buffer): Buffer {
  let end = HEADER_BYTES;
  while ((query[end] ?? 0) !== 0) end += 1 + (query[end] ?? 0);
  const type = query.readUInt16BE(end + 1);
  const question = query.subarray(HEADER_BYTES, end + 5);
  const header = Buffer.alloc(HEADER_BYTES);
  query.copy(header, 0, 0, 2);
  // QR, RD, RA.
  header.writeUInt16BE(0x8180, 2);
  header.writeUInt16BE(1, 4);
  if (type !== TYPE_A) return Buffer.concat([header, question]);
  header.writeUInt16BE(1, 6);
  const record = Buffer.from([0xc0, HEADER_BYTES, 0, TYPE_A, 0, 1, 0, 0, 0, 0, 0, 4, 127, 0, 0, 1]);
  record.writeUInt32BE(TTL_SECONDS, 6);
  return Buffer.concat([header, question, record]);
}
