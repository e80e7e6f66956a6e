import { alertOfCode } from '../network/tls/handshake.ts';
import { Cursor } from './bytes.ts';

export type Role = 'client' | 'server';

interface Alert {
  readonly code: number;
  readonly name: string;
}

/** TLS record types (RFC 8446 §5.1) up to the type for heartbeats. */
const CHANGE_CIPHER_SPEC = 20;
const ALERT = 21;
const HANDSHAKE = 22;
const APPLICATION_DATA = 23;
const LAST_TYPE = 24;
/** The maximum record size in any TLS version, including the encryption overhead (RFC 5246 §6.2.3). */
const MAX_RECORD = 2 ** 14 + 2_048;
/**
 * The maximum number of bytes that a connection holds until a record or message is complete. Real certificate chains
 * are shorter.
 */
const MAX_HELD = 24 * 1024;
const MAX_CERTIFICATES = 100;
const MAX_PLAIN = 512;

const TLS_1_0 = 0x0301;
const TLS_1_3 = 0x0304;
const SERVER_NAME = 0;
const SUPPORTED_VERSIONS = 43;

const NOTHING = Buffer.alloc(0);

/** One direction of a connection, with the bytes of incomplete records and handshake messages. */
class Stream {
  /**
   * `opening` is the state before TLS starts. `refused` means that a proxy wants a login and the client has not
   * answered. `closed` means that further data is not needed.
   */
  state: 'opening' | 'refused' | 'tls' | 'closed' = 'opening';
  rest: Buffer = NOTHING;
  messages: Buffer = NOTHING;

  get held(): number {
    return this.rest.length + this.messages.length;
  }

  close(): void {
    [this.state, this.rest, this.messages] = ['closed', NOTHING, NOTHING];
  }
}

/** Parses a connection until the TLS handshake ends. Each side's data must be passed in order and without gaps. */
export class Handshake {
  /** The `host:port` to which the client requested a tunnel from a proxy. */
  tunnel: string | null = null;
  /**
   * A device that only translates addresses does not change `random`. `serverName` is null if the client sent no SNI.
   */
  hello: { readonly random: string; readonly serverName: string | null } | null = null;
  /** For example `1.2`. Null if the ServerHello was not captured. */
  version: string | null = null;
  /** The chain in DER format, starting with the leaf. Null if they were encrypted or not captured. */
  certificates: readonly Uint8Array[] | null = null;
  /** In a resumed session, the server does not send a certificate. */
  isResumed = false;
  /**
   * False if the client answered the server's request without sending a certificate. Null if the client did not answer
   * a request.
   */
  clientCertificate: boolean | null = null;
  clientAlert: Alert | null = null;
  serverAlert: Alert | null = null;
  /** The first bytes of a server response that is not TLS, or of a proxy response that refuses a tunnel. */
  plain: Buffer | null = null;
  /** Set if the client continued after the server's messages, with a key exchange or with encrypted data. */
  clientWentOn = false;
  /** Set if parsing was stopped because the incomplete data exceeded the limit. */
  isTooLong = false;
  readonly #streams: Readonly<Record<Role, Stream>> = { client: new Stream(), server: new Stream() };

  wants(from: Role): boolean {
    return this.#streams[from].state !== 'closed';
  }

  push(from: Role, bytes: Buffer): void {
    const stream = this.#streams[from];
    if (from === 'client' && this.#streams.server.state === 'refused') this.#startAgain();
    if (stream.state === 'closed' || stream.state === 'refused') return;
    stream.rest = Buffer.concat([stream.rest, bytes]);
    if (stream.state === 'opening') this.#readOpening(stream, from);
    while (stream.state === 'tls' && stream.rest.length > 0 && this.#readRecord(stream, from));
    // The remaining bytes are copied, because a slice would keep the whole buffer in memory.
    stream.rest = Buffer.from(stream.rest);
    const { client, server } = this.#streams;
    this.isTooLong = client.held + server.held > MAX_HELD;
    if (!this.isTooLong) return;
    client.close();
    server.close();
  }

  /** After status 407, the client can repeat its request with a login on the same connection (RFC 9110 §11.7). */
  #startAgain(): void {
    const { client, server } = this.#streams;
    client.state = 'opening';
    server.state = 'opening';
    this.plain = null;
  }

  /** Data before TLS is either a CONNECT request with its response (RFC 9110 §9.3.6) or not TLS at all. */
  #readOpening(stream: Stream, from: Role): void {
    const text = stream.rest.toString('latin1', 0, 1_024);
    const wanted = from === 'client' ? 'CONNECT ' : 'HTTP/1.';
    const isHttp = wanted.startsWith(text.slice(0, wanted.length));
    const end = stream.rest.indexOf('\r\n\r\n');
    const opened = /^(?:CONNECT (?<tunnel>\S{1,300}) HTTP|HTTP\/1\.\d 2\d\d)/u.exec(text);
    if (isHttp && end === -1) return;
    if (from === 'server' && /^HTTP\/1\.\d 407/u.test(text)) {
      this.plain = Buffer.from(stream.rest.subarray(0, MAX_PLAIN));
      [stream.state, stream.rest] = ['refused', NOTHING];
      return;
    }
    stream.state = 'tls';
    if (opened === null) return;
    this.tunnel ??= opened.groups?.['tunnel'] ?? null;
    stream.rest = stream.rest.subarray(end + 4);
  }

  /** Returns false if the record is incomplete or if further data is not needed. */
  #readRecord(stream: Stream, from: Role): boolean {
    const record = new Cursor(stream.rest);
    const [type, major, , length] = [record.number(1), record.number(1), record.number(1), record.number(2)];
    const isWithinLimits = record.isCut || (major === 3 && length <= MAX_RECORD);
    if (type < CHANGE_CIPHER_SPEC || type > LAST_TYPE || !isWithinLimits) {
      // The data is not TLS, so nothing more can be parsed.
      if (from === 'server' && this.version === null) this.plain = Buffer.from(stream.rest.subarray(0, MAX_PLAIN));
      stream.close();
      return false;
    }
    const body = record.take(length);
    if (record.isCut) return false;
    stream.rest = stream.rest.subarray(5 + length);
    this.#readBody(stream, from, type, body);
    return true;
  }

  #readBody(stream: Stream, from: Role, type: number, body: Buffer): void {
    if (type === ALERT && body.length === 2) this.#noteAlert(from, body[1] ?? 0);
    if (type === HANDSHAKE) this.#readMessages(stream, from, body);
    if (type === CHANGE_CIPHER_SPEC) this.#changeCipher(stream, from);
    // A client can send encrypted early data before the ServerHello. In this case, parsing continues, because the
    // server can still send an unencrypted alert.
    if (type === APPLICATION_DATA && from === 'client' && this.version !== null) {
      this.clientWentOn = true;
      stream.close();
    }
  }

  #noteAlert(from: Role, code: number): void {
    // The alerts close_notify and user_canceled end a connection without an error.
    if (code === 0 || code === 90) return;
    this[from === 'client' ? 'clientAlert' : 'serverAlert'] ??= { code, name: alertOfCode(code) };
  }

  #changeCipher(stream: Stream, from: Role): void {
    // In TLS 1.3, this message has no meaning and can also occur before the second ClientHello (RFC 8446 §D.4).
    if (this.version === '1.3') return;
    if (from === 'client') this.clientWentOn ||= this.version !== null;
    // If no session is resumed, the client's key exchange comes before this message.
    else this.isResumed = this.version !== null && this.certificates === null && !this.clientWentOn;
    stream.close();
  }

  #readMessages(stream: Stream, from: Role, body: Buffer): void {
    let rest = Buffer.concat([stream.messages, body]);
    for (let message = new Cursor(rest); message.left >= 4; message = new Cursor(rest)) {
      const [type, length] = [message.number(1), message.number(3)];
      const content = message.take(length);
      if (message.isCut) break;
      rest = rest.subarray(4 + length);
      MESSAGES[from].get(type)?.(this, new Cursor(content));
    }
    stream.messages = Buffer.from(rest);
  }
}

type ReadMessage = (seen: Handshake, body: Cursor) => unknown;

/** The parsers for relevant handshake messages, by sender and message type (RFC 8446 §4, RFC 5246 §7.4). */
const MESSAGES: Readonly<Record<Role, ReadonlyMap<number, ReadMessage>>> = {
  client: new Map<number, ReadMessage>([
    [1, (seen, body) => (seen.hello ??= helloOf(body))],
    [11, (seen, body) => (seen.clientCertificate ??= certificatesOf(body).length > 0)],
    [16, (seen) => (seen.clientWentOn = true)],
  ]),
  server: new Map<number, ReadMessage>([
    [2, (seen, body) => (seen.version ??= versionOf(body))],
    [11, (seen, body) => (seen.certificates ??= seen.version === '1.3' ? null : certificatesOf(body))],
  ]),
};

function helloOf(body: Cursor): Handshake['hello'] {
  body.skip(2);
  const random = body.take(32).toString('hex');
  // Skips the session ID, the cipher suites and the compression methods.
  for (const lengthBytes of [1, 2, 1] as const) body.part(lengthBytes);
  // The extension contains a list of names, the first of which is a host name (RFC 6066 §3).
  const names = new Cursor(body.part(2).entries(1).get(SERVER_NAME) ?? NOTHING);
  names.skip(3);
  const name = names.part(2).take(255).toString('latin1');
  return { random, serverName: name === '' ? null : name };
}

function versionOf(body: Cursor): string | null {
  const legacy = body.number(2);
  body.skip(32);
  body.part(1);
  body.skip(3);
  if (body.isCut) return null;
  const chosen = body.part(2).entries(1).get(SUPPORTED_VERSIONS);
  const version = chosen?.length === 2 ? chosen.readUInt16BE() : legacy;
  const isKnown = version >= TLS_1_0 && version <= TLS_1_3;
  return isKnown ? `1.${String(version - TLS_1_0)}` : `0x${version.toString(16)}`;
}

function certificatesOf(body: Cursor): readonly Uint8Array[] {
  const list = body.part(3);
  const found: Uint8Array[] = [];
  while (list.left >= 3 && found.length < MAX_CERTIFICATES) found.push(new Uint8Array(list.take(list.number(3))));
  return found;
}
