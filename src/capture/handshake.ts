import { alertOfCode } from '../network/tls/tls-alert.ts';

/** Who sent something. */
export type Role = 'client' | 'server';

export interface Alert {
  /** RFC 8446 §6. */
  readonly code: number;
  readonly name: string;
}

export interface ClientHello {
  /** Hexadecimal: the same on both sides of what only translates addresses. */
  readonly random: string;
  /** SNI; null: none was sent. */
  readonly serverName: string | null;
}

/** Everything that both sides of a connection said in the clear, up to the end of the handshake. */
export interface Handshake {
  /** `host:port` of the tunnel that the client asked a proxy for; null: it asked for none. */
  readonly tunnel: string | null;
  /** Null: the client's hello is not in the capture. */
  readonly hello: ClientHello | null;
  /** `1.2`; null: the server's hello is not in the capture. */
  readonly version: string | null;
  /** DER, leaf first; null: the server's certificates are not in the capture, or are encrypted. */
  readonly certificates: readonly Uint8Array[] | null;
  /** The server went on with an earlier session, which needs no certificate. */
  readonly isResumed: boolean;
  /** The client answered a request with a certificate; null: not seen. */
  readonly clientCertificate: boolean | null;
  readonly clientAlert: Alert | null;
  readonly serverAlert: Alert | null;
  /** What the server answered where TLS was expected, or the proxy instead of a tunnel: its first bytes. */
  readonly plain: Buffer | null;
  /** The client went on after what the server showed: with encrypted data, or with keys of its own. */
  readonly clientWentOn: boolean;
  /** Bytes of the client's first encrypted record under TLS 1.3; null: it sent none. */
  readonly firstEncrypted: number | null;
}

/** Record types (RFC 8446 §5.1), up to heartbeat. */
const CHANGE_CIPHER_SPEC = 20;
const ALERT = 21;
const HANDSHAKE = 22;
const APPLICATION_DATA = 23;
const LAST_TYPE = 24;
/** The largest record of any version, with what encryption adds to it (RFC 5246 §6.2.3). */
const MAX_RECORD = 2 ** 14 + 2_048;
/** Handshake messages, where a chain is the largest. */
const MAX_MESSAGE = 128 * 1024;
const MAX_HTTP_HEADER = 16 * 1024;
const MAX_CERTIFICATES = 100;
const MAX_PLAIN = 512;

/** Handshake messages (RFC 8446 §4, RFC 5246 §7.4). */
const CLIENT_HELLO = 1;
const SERVER_HELLO = 2;
const CERTIFICATE = 11;
const SERVER_KEY_EXCHANGE = 12;
const SERVER_HELLO_DONE = 14;
const CLIENT_KEY_EXCHANGE = 16;

const VERSIONS: ReadonlyMap<number, string> = new Map([
  [0x0300, 'SSL 3.0'],
  [0x0301, '1.0'],
  [0x0302, '1.1'],
  [0x0303, '1.2'],
  [0x0304, '1.3'],
]);
/** Extensions that are read. */
const SERVER_NAME = 0;
const SUPPORTED_VERSIONS = 43;

const NOTHING = Buffer.alloc(0);

/** One direction. */
class Stream {
  /** `opening`: before TLS; `closed`: the rest does not matter. */
  state: 'opening' | 'tls' | 'closed' = 'opening';
  rest: Buffer = NOTHING;
  /** Bytes of handshake messages that are not complete. */
  messages: Buffer = NOTHING;
  isEncrypted = false;

  close(): void {
    this.state = 'closed';
    this.rest = NOTHING;
    this.messages = NOTHING;
  }
}

/** Reads what both sides sent, which has to come in order and without gaps. */
export class HandshakeReader {
  readonly #streams: Readonly<Record<Role, Stream>> = { client: new Stream(), server: new Stream() };
  #hasKeyExchange = false;
  readonly #seen: { -readonly [K in keyof Handshake]: Handshake[K] } = {
    tunnel: null,
    hello: null,
    version: null,
    certificates: null,
    isResumed: false,
    clientCertificate: null,
    clientAlert: null,
    serverAlert: null,
    plain: null,
    clientWentOn: false,
    firstEncrypted: null,
  };

  /** What was read until now; it changes with the next bytes. */
  get seen(): Handshake {
    return this.#seen;
  }

  /** Whether what this side sends next still matters. */
  wants(from: Role): boolean {
    return this.#streams[from].state !== 'closed';
  }

  /** Bytes that wait for more. */
  held(): number {
    const { client, server } = this.#streams;
    return client.rest.length + client.messages.length + server.rest.length + server.messages.length;
  }

  push(from: Role, bytes: Buffer): void {
    const stream = this.#streams[from];
    if (stream.state === 'closed') return;
    stream.rest = Buffer.concat([stream.rest, bytes]);
    if (stream.state === 'opening') this.#readOpening(stream, from);
    if (stream.state === 'tls') this.#readRecords(stream, from);
  }

  /** What comes before TLS: CONNECT and its answer (RFC 9110 §9.3.6), or something that is no TLS at all. */
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
      // A proxy that asks for a password may be asked again on the same connection, which is not followed.
      this.#refuse(stream, from);
      return;
    }
    this.#seen.tunnel ??= opened.groups?.['tunnel'] ?? null;
    stream.rest = Buffer.from(stream.rest.subarray(end + 4));
    stream.state = 'tls';
  }

  /** The rest is no TLS. */
  #refuse(stream: Stream, from: Role): void {
    if (from === 'server' && this.#seen.version === null)
      this.#seen.plain = Buffer.from(stream.rest.subarray(0, MAX_PLAIN));
    stream.close();
  }

  #readRecords(stream: Stream, from: Role): void {
    let at = 0;
    while (stream.state === 'tls' && stream.rest.length - at >= 5) {
      const type = stream.rest[at] ?? 0;
      const end = at + 5 + stream.rest.readUInt16BE(at + 3);
      if (type < CHANGE_CIPHER_SPEC || type > LAST_TYPE || stream.rest[at + 1] !== 3 || end - at > 5 + MAX_RECORD) {
        stream.rest = stream.rest.subarray(at);
        this.#refuse(stream, from);
        return;
      }
      if (stream.rest.length < end) break;
      this.#readRecord(stream, from, type, stream.rest.subarray(at + 5, end));
      at = end;
    }
    if (stream.state === 'tls' && at > 0) stream.rest = Buffer.from(stream.rest.subarray(at));
  }

  #readRecord(stream: Stream, from: Role, type: number, body: Buffer): void {
    const seen = this.#seen;
    const isAnswered = seen.version !== null;
    // An encrypted alert is longer.
    if (type === ALERT && body.length === 2) this.#noteAlert(from, body[1] ?? 0);
    if (type === HANDSHAKE && !stream.isEncrypted) this.#readMessages(stream, from, body);
    if (type === CHANGE_CIPHER_SPEC) this.#changeCipher(stream, from, isAnswered);
    if (type !== APPLICATION_DATA) return;
    // Early data comes before the server's hello. The server may still send an alert in the clear.
    stream.isEncrypted ||= from === 'server' || isAnswered;
    if (from === 'server' || !isAnswered) return;
    seen.clientWentOn = true;
    seen.firstEncrypted ??= body.length;
    stream.close();
  }

  #changeCipher(stream: Stream, from: Role, isAnswered: boolean): void {
    const seen = this.#seen;
    // TLS 1.3 sends one that means nothing, before the second hello too (RFC 8446 §D.4).
    if (seen.version === '1.3') return;
    if (from === 'client') seen.clientWentOn ||= isAnswered;
    else seen.isResumed = seen.certificates === null && !this.#hasKeyExchange && isAnswered;
    stream.close();
  }

  #noteAlert(from: Role, code: number): void {
    // close_notify and user_canceled end a connection, and accuse nobody.
    if (code === 0 || code === 90) return;
    this.#seen[from === 'client' ? 'clientAlert' : 'serverAlert'] ??= { code, name: alertOfCode(code) };
  }

  #readMessages(stream: Stream, from: Role, body: Buffer): void {
    const messages = Buffer.concat([stream.messages, body]);
    let at = 0;
    while (messages.length - at >= 4) {
      const end = at + 4 + messages.readUIntBE(at + 1, 3);
      if (end - at > 4 + MAX_MESSAGE) {
        stream.close();
        return;
      }
      if (messages.length < end) break;
      this.#readMessage(from, messages[at] ?? 0, messages.subarray(at + 4, end));
      at = end;
    }
    stream.messages = Buffer.from(messages.subarray(at));
  }

  #readMessage(from: Role, type: number, body: Buffer): void {
    const seen = this.#seen;
    if (from === 'client') {
      if (type === CLIENT_HELLO) seen.hello ??= helloOf(body);
      if (type === CLIENT_KEY_EXCHANGE) seen.clientWentOn = true;
      if (type === CERTIFICATE) seen.clientCertificate ??= certificatesOf(body).length > 0;
      return;
    }
    if (type === SERVER_HELLO) seen.version ??= versionOf(body);
    if (type === CERTIFICATE && seen.version !== '1.3') seen.certificates ??= certificatesOf(body);
    this.#hasKeyExchange ||= type === SERVER_KEY_EXCHANGE || type === SERVER_HELLO_DONE;
  }
}

/** A part with its length before it, of so many bytes; shorter where the bytes end. */
function part(body: Buffer, at: number, lengthBytes: 1 | 2 | 3): Buffer {
  if (at + lengthBytes > body.length) return NOTHING;
  const start = at + lengthBytes;
  return body.subarray(start, start + body.readUIntBE(at, lengthBytes));
}

function helloOf(body: Buffer): ClientHello {
  const ciphersAt = 35 + part(body, 34, 1).length;
  const compressionsAt = ciphersAt + 2 + part(body, ciphersAt, 2).length;
  const names = extensionsOf(body, compressionsAt + 1 + part(body, compressionsAt, 1).length).get(SERVER_NAME);
  // A list of names, of which the first is a host name (RFC 6066 §3).
  const name = part(names ?? NOTHING, 3, 2)
    .toString('latin1')
    .slice(0, 255);
  return { random: body.toString('hex', 2, 34), serverName: name === '' ? null : name };
}

function versionOf(body: Buffer): string | null {
  if (body.length < 38) return null;
  const chosen = extensionsOf(body, 38 + part(body, 34, 1).length).get(SUPPORTED_VERSIONS);
  const version = (chosen !== undefined && chosen.length >= 2 ? chosen : body).readUInt16BE(0);
  return VERSIONS.get(version) ?? `0x${version.toString(16)}`;
}

function extensionsOf(body: Buffer, from: number): ReadonlyMap<number, Buffer> {
  const all = part(body, from, 2);
  const found = new Map<number, Buffer>();
  for (let at = 0; at + 4 <= all.length; at += 4 + part(all, at + 2, 2).length)
    found.set(all.readUInt16BE(at), part(all, at + 2, 2));
  return found;
}

function certificatesOf(body: Buffer): readonly Uint8Array[] {
  const list = part(body, 0, 3);
  const found: Uint8Array[] = [];
  for (let at = 0; at + 3 <= list.length && found.length < MAX_CERTIFICATES; at += 3 + part(list, at, 3).length)
    found.push(new Uint8Array(part(list, at, 3)));
  return found;
}
