import { alertOfCode } from '../network/tls/handshake.ts';
import { Cursor } from './bytes.ts';

/** Sender of a message. */
export type Role = 'client' | 'server';

interface Alert {
  /** RFC 8446 §6. */
  readonly code: number;
  readonly name: string;
}

/** Record types (RFC 8446 §5.1), up to heartbeat. */
const CHANGE_CIPHER_SPEC = 20;
const ALERT = 21;
const HANDSHAKE = 22;
const APPLICATION_DATA = 23;
const LAST_TYPE = 24;
/** Maximum record size in any version, including the overhead of encryption (RFC 5246 §6.2.3). */
const MAX_RECORD = 2 ** 14 + 2_048;
/** Maximum size of handshake messages. The largest contains a chain. */
const MAX_MESSAGE = 128 * 1024;
const MAX_HTTP_HEADER = 16 * 1024;
const MAX_CERTIFICATES = 100;
const MAX_PLAIN = 512;

const VERSIONS: ReadonlyMap<number, string> = new Map([
  [0x0300, 'SSL 3.0'],
  [0x0301, '1.0'],
  [0x0302, '1.1'],
  [0x0303, '1.2'],
  [0x0304, '1.3'],
]);
/** Extensions that are parsed. */
const SERVER_NAME = 0;
const SUPPORTED_VERSIONS = 43;

const NOTHING = Buffer.alloc(0);

/** One direction: bytes of incomplete records and handshake messages. */
class Stream {
  /** `opening`: before TLS. `closed`: the rest is not needed. */
  state: 'opening' | 'tls' | 'closed' = 'opening';
  rest: Buffer = NOTHING;
  messages: Buffer = NOTHING;
  isEncrypted = false;

  close(): void {
    [this.state, this.rest, this.messages] = ['closed', NOTHING, NOTHING];
  }
}

/**
 * All unencrypted data of both sides of a connection, up to the end of the handshake. Each side's data must be passed
 * in order and without gaps.
 */
export class Handshake {
  /** `host:port` of the tunnel that the client requested from a proxy. Null if it requested none. */
  tunnel: string | null = null;
  /**
   * Null if the capture does not contain the ClientHello. The random is the same on both sides of a device that only
   * translates addresses. A null name means that SNI was not sent.
   */
  hello: { readonly random: string; readonly serverName: string | null } | null = null;
  /** For example `1.2`. Null if the capture does not contain the ServerHello. */
  version: string | null = null;
  /** DER, leaf first. Null if the server's certificates are encrypted or not in the capture. */
  certificates: readonly Uint8Array[] | null = null;
  /** The server resumed an earlier session, which requires no certificate. */
  isResumed = false;
  /** The server sent a message that occurs only in a full handshake. */
  hasKeyExchange = false;
  /** Whether the client answered a certificate request with a certificate. Null if not seen. */
  clientCertificate: boolean | null = null;
  clientAlert: Alert | null = null;
  serverAlert: Alert | null = null;
  /** First bytes of the server's answer where TLS was expected, or of the proxy's answer without a tunnel. */
  plain: Buffer | null = null;
  /** The client continued after the server's part of the handshake: with encrypted data or with its key exchange. */
  clientWentOn = false;
  /** Size of the client's first encrypted record in TLS 1.3, in bytes. Null if it sent none. */
  firstEncrypted: number | null = null;
  readonly #streams: Readonly<Record<Role, Stream>> = { client: new Stream(), server: new Stream() };

  /** Reports whether further data from this side is needed. */
  wants(from: Role): boolean {
    return this.#streams[from].state !== 'closed';
  }

  /** Returns the number of buffered bytes. */
  held(): number {
    const { client, server } = this.#streams;
    return client.rest.length + client.messages.length + server.rest.length + server.messages.length;
  }

  /** Stops reading. */
  end(): void {
    this.#streams.client.close();
    this.#streams.server.close();
  }

  push(from: Role, bytes: Buffer): void {
    const stream = this.#streams[from];
    if (stream.state === 'closed') return;
    stream.rest = Buffer.concat([stream.rest, bytes]);
    if (stream.state === 'opening') this.#readOpening(stream, from);
    while (stream.state === 'tls' && this.#readRecord(stream, from));
    // A slice would keep the whole buffer in memory.
    stream.rest = Buffer.from(stream.rest);
  }

  /** Reads data before TLS: CONNECT and its answer (RFC 9110 §9.3.6), or a protocol other than TLS. */
  #readOpening(stream: Stream, from: Role): void {
    const first = stream.rest[0] ?? 0;
    if (first >= CHANGE_CIPHER_SPEC && first <= LAST_TYPE) {
      stream.state = 'tls';
      return;
    }
    const wanted = from === 'client' ? 'CONNECT ' : 'HTTP/1.';
    const isHttp = wanted.startsWith(stream.rest.toString('latin1', 0, wanted.length));
    const end = stream.rest.indexOf('\r\n\r\n');
    if (isHttp && end === -1 && stream.rest.length <= MAX_HTTP_HEADER) return;
    const line = stream.rest.toString('latin1', 0, 1_024).split('\r\n')[0] ?? '';
    const opened = /^(?:CONNECT (?<tunnel>\S{1,300}) HTTP|HTTP\/1\.\d 2\d\d)/u.exec(line);
    if (!isHttp || end === -1 || opened === null) {
      // The client may retry on the same connection if a proxy requires a password, but this is not followed.
      this.#refuse(stream, from);
      return;
    }
    this.tunnel ??= opened.groups?.['tunnel'] ?? null;
    stream.rest = Buffer.from(stream.rest.subarray(end + 4));
    stream.state = 'tls';
  }

  /** The remaining data is not TLS. */
  #refuse(stream: Stream, from: Role): void {
    if (from === 'server' && this.version === null) this.plain = Buffer.from(stream.rest.subarray(0, MAX_PLAIN));
    stream.close();
  }

  /** Returns false if the record is incomplete or the rest is not needed. */
  #readRecord(stream: Stream, from: Role): boolean {
    if (stream.rest.length < 5) return false;
    const record = new Cursor(stream.rest);
    const [type, major, , length] = [record.number(1), record.number(1), record.number(1), record.number(2)];
    const isRecord = type >= CHANGE_CIPHER_SPEC && type <= LAST_TYPE && major === 3 && length <= MAX_RECORD;
    if (!isRecord) {
      this.#refuse(stream, from);
      return false;
    }
    const body = record.take(length);
    if (record.isCut) return false;
    stream.rest = stream.rest.subarray(5 + length);
    if (type === ALERT && length === 2) this.#noteAlert(from, body[1] ?? 0);
    if (type === HANDSHAKE && !stream.isEncrypted) this.#readMessages(stream, from, body);
    if (type === CHANGE_CIPHER_SPEC) this.#changeCipher(stream, from);
    if (type === APPLICATION_DATA) this.#noteEncrypted(stream, from, length);
    return true;
  }

  #noteAlert(from: Role, code: number): void {
    // close_notify and user_canceled end a connection without reporting an error.
    if (code === 0 || code === 90) return;
    this[from === 'client' ? 'clientAlert' : 'serverAlert'] ??= { code, name: alertOfCode(code) };
  }

  #changeCipher(stream: Stream, from: Role): void {
    // TLS 1.3 sends a meaningless one, also before the second hello (RFC 8446 §D.4).
    if (this.version === '1.3') return;
    if (from === 'client') this.clientWentOn ||= this.version !== null;
    else this.isResumed = this.version !== null && this.certificates === null && !this.hasKeyExchange;
    stream.close();
  }

  #noteEncrypted(stream: Stream, from: Role, length: number): void {
    // Early data precedes the ServerHello. The server can still send an unencrypted alert.
    stream.isEncrypted ||= from === 'server' || this.version !== null;
    if (from === 'server' || this.version === null) return;
    this.clientWentOn = true;
    this.firstEncrypted ??= length;
    stream.close();
  }

  #readMessages(stream: Stream, from: Role, body: Buffer): void {
    let rest = Buffer.concat([stream.messages, body]);
    for (let message = new Cursor(rest); message.left >= 4; message = new Cursor(rest)) {
      const [type, length] = [message.number(1), message.number(3)];
      if (length > MAX_MESSAGE) {
        stream.close();
        return;
      }
      const content = message.take(length);
      if (message.isCut) break;
      rest = rest.subarray(4 + length);
      MESSAGES[from].get(type)?.(this, new Cursor(content));
    }
    stream.messages = Buffer.from(rest);
  }
}

type ReadMessage = (seen: Handshake, body: Cursor) => unknown;

/** Relevant handshake messages by type (RFC 8446 §4, RFC 5246 §7.4). */
const MESSAGES: Readonly<Record<Role, ReadonlyMap<number, ReadMessage>>> = {
  client: new Map<number, ReadMessage>([
    [1, (seen, body) => (seen.hello ??= helloOf(body))],
    [11, (seen, body) => (seen.clientCertificate ??= certificatesOf(body).length > 0)],
    [16, (seen) => (seen.clientWentOn = true)],
  ]),
  server: new Map<number, ReadMessage>([
    [2, (seen, body) => (seen.version ??= versionOf(body))],
    [11, (seen, body) => (seen.certificates ??= seen.version === '1.3' ? null : certificatesOf(body))],
    [12, (seen) => (seen.hasKeyExchange = true)],
    [14, (seen) => (seen.hasKeyExchange = true)],
  ]),
};

function helloOf(body: Cursor): Handshake['hello'] {
  body.skip(2);
  const random = body.take(32).toString('hex');
  // Session id, cipher suites and compression methods.
  for (const lengthBytes of [1, 2, 1] as const) body.part(lengthBytes);
  // A list of names, the first of which is a host name (RFC 6066 §3).
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
  return VERSIONS.get(version) ?? `0x${version.toString(16)}`;
}

function certificatesOf(body: Cursor): readonly Uint8Array[] {
  const list = body.part(3);
  const found: Uint8Array[] = [];
  while (list.left >= 3 && found.length < MAX_CERTIFICATES) found.push(new Uint8Array(list.take(list.number(3))));
  return found;
}
