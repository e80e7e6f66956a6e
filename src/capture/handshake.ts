import { alertOfCode } from '../network/tls/tls-alert.ts';

/** Who sent something. */
export type Role = 'client' | 'server';

export interface Alert {
  /** RFC 8446 §6. */
  readonly code: number;
  readonly name: string;
}

/** What one side showed in the hello. */
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
  /** Why the rest of what one side sent cannot be read. */
  readonly garbled: readonly string[];
}

/** Takes what both sides sent, in order and without gaps. */
export interface HandshakeReader {
  /** Whether what this side sends next still matters. */
  readonly wants: (from: Role) => boolean;
  readonly push: (from: Role, bytes: Buffer) => void;
  readonly read: () => Handshake;
  readonly hasClientGoneOn: () => boolean;
  /** Bytes that wait for more. */
  readonly held: () => number;
}

/** Record types (RFC 8446 §5.1). */
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

const CLIENT_HELLO = 1;
const SERVER_HELLO = 2;
const CERTIFICATE = 11;

const VERSIONS: ReadonlyMap<number, string> = new Map([
  [0x0300, 'SSL 3.0'],
  [0x0301, '1.0'],
  [0x0302, '1.1'],
  [0x0303, '1.2'],
  [0x0304, '1.3'],
]);
/** `update_recsize`-like drafts aside, extensions that are read: server_name, supported_versions. */
const SERVER_NAME = 0;
const SUPPORTED_VERSIONS = 43;

/** One direction. */
interface Stream {
  /** `start`: nothing came yet; `http`: before the tunnel; `closed`: the rest does not matter. */
  state: 'start' | 'http' | 'tls' | 'closed';
  rest: Buffer;
  /** Bytes of handshake messages that are not complete. */
  messages: Buffer;
  isEncrypted: boolean;
}

/** What is being read. */
type Draft = { -readonly [K in keyof Handshake]: Handshake[K] } & { hasKeyExchange: boolean };

export function createHandshakeReader(): HandshakeReader {
  const streams: Readonly<Record<Role, Stream>> = { client: emptyStream(), server: emptyStream() };
  const draft: Draft = {
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
    garbled: [],
    hasKeyExchange: false,
  };
  return {
    wants: (from) => streams[from].state !== 'closed',
    push: (from, bytes) => {
      const stream = streams[from];
      if (stream.state === 'closed') return;
      stream.rest = Buffer.concat([stream.rest, bytes]);
      if (stream.state === 'start' || stream.state === 'http') readOpening(stream, from, draft);
      if (stream.state === 'tls') readRecords(stream, from, draft);
    },
    read: () => ({ ...draft }),
    hasClientGoneOn: () => draft.clientWentOn,
    held: () => Object.values(streams).reduce((sum, { rest, messages }) => sum + rest.length + messages.length, 0),
  };
}

function emptyStream(): Stream {
  return { state: 'start', rest: Buffer.alloc(0), messages: Buffer.alloc(0), isEncrypted: false };
}

function close(stream: Stream): void {
  stream.state = 'closed';
  stream.rest = Buffer.alloc(0);
  stream.messages = Buffer.alloc(0);
}

function garble(stream: Stream, draft: Draft, why: string): void {
  draft.garbled = [...draft.garbled, why];
  close(stream);
}

/** What comes before TLS: CONNECT and its answer (RFC 9110 §9.3.6), or something that is no TLS at all. */
function readOpening(stream: Stream, from: Role, draft: Draft): void {
  const { rest } = stream;
  const first = rest[0] ?? 0;
  if (stream.state === 'start' && first >= CHANGE_CIPHER_SPEC && first <= LAST_TYPE) {
    stream.state = 'tls';
    return;
  }
  const wanted = from === 'client' ? 'CONNECT ' : 'HTTP/1.';
  const begun = rest.toString('latin1', 0, wanted.length);
  if (!wanted.startsWith(begun)) {
    if (from === 'server') draft.plain = Buffer.from(rest.subarray(0, MAX_PLAIN));
    close(stream);
    return;
  }
  stream.state = 'http';
  const end = rest.indexOf('\r\n\r\n');
  if (end === -1) {
    if (rest.length > MAX_HTTP_HEADER) garble(stream, draft, `the ${from} sent a header without an end`);
    return;
  }
  const line = rest.toString('latin1', 0, Math.min(end, 1_024)).split('\r\n')[0] ?? '';
  const tunnel = from === 'client' ? (/^CONNECT (\S{1,300}) HTTP/u.exec(line)?.[1] ?? null) : null;
  if (from === 'client' ? tunnel === null : !/^HTTP\/1\.\d 2\d\d/u.test(line)) {
    if (from === 'server') draft.plain = Buffer.from(rest.subarray(0, MAX_PLAIN));
    // A proxy that asks for a password is asked again on the same connection: that one is another attempt.
    close(stream);
    return;
  }
  draft.tunnel ??= tunnel;
  stream.rest = Buffer.from(rest.subarray(end + 4));
  stream.state = 'tls';
}

function readRecords(stream: Stream, from: Role, draft: Draft): void {
  let at = 0;
  while (stream.state === 'tls' && stream.rest.length - at >= 5) {
    const type = stream.rest[at] ?? 0;
    const length = stream.rest.readUInt16BE(at + 3);
    if (type < CHANGE_CIPHER_SPEC || type > LAST_TYPE || stream.rest[at + 1] !== 3 || length > MAX_RECORD) {
      const isAnswer = from === 'server' && draft.version === null;
      if (isAnswer) draft.plain = Buffer.from(stream.rest.subarray(at, at + MAX_PLAIN));
      garble(stream, draft, `the ${from} sent something that is no TLS record`);
      return;
    }
    if (stream.rest.length - at < 5 + length) break;
    readRecord(stream, from, draft, { type, body: stream.rest.subarray(at + 5, at + 5 + length) });
    at += 5 + length;
  }
  if (stream.state === 'tls' && at > 0) stream.rest = Buffer.from(stream.rest.subarray(at));
}

function readRecord(
  stream: Stream,
  from: Role,
  draft: Draft,
  { type, body }: { readonly type: number; readonly body: Buffer },
): void {
  switch (type) {
    case ALERT:
      // An encrypted one is longer.
      if (body.length === 2) noteAlert(from, body, draft);
      else stream.isEncrypted = true;
      break;
    case HANDSHAKE:
      if (!stream.isEncrypted) readMessages(stream, from, draft, body);
      break;
    case CHANGE_CIPHER_SPEC:
      // TLS 1.3 sends one that means nothing, before the second hello too (RFC 8446 §D.4).
      if (draft.version === '1.3') break;
      if (from === 'server')
        draft.isResumed = draft.certificates === null && !draft.hasKeyExchange && draft.version !== null;
      else if (draft.version !== null) draft.clientWentOn = true;
      close(stream);
      break;
    case APPLICATION_DATA:
      if (from === 'client') draft.clientWentOn = true;
      if (from === 'client' && draft.version !== null) draft.firstEncrypted ??= body.length;
      // The server may still send an alert in the clear, and early data may come before the server's hello.
      if (from === 'server' || draft.version !== null) stream.isEncrypted = true;
      if (from === 'client' && draft.version !== null) close(stream);
      break;
    default:
      break;
  }
}

function noteAlert(from: Role, body: Buffer, draft: Draft): void {
  const code = body[1] ?? 0;
  // close_notify and user_canceled end a connection, and accuse nobody.
  if (code === 0 || code === 90) return;
  const alert = { code, name: alertOfCode(code) };
  if (from === 'client') draft.clientAlert ??= alert;
  else draft.serverAlert ??= alert;
}

function readMessages(stream: Stream, from: Role, draft: Draft, body: Buffer): void {
  const messages = Buffer.concat([stream.messages, body]);
  let at = 0;
  while (messages.length - at >= 4) {
    const length = messages.readUIntBE(at + 1, 3);
    if (length > MAX_MESSAGE) {
      garble(stream, draft, `the ${from} sent a handshake message that is said to have ${String(length)} bytes`);
      return;
    }
    if (messages.length - at < 4 + length) break;
    readMessage(from, draft, messages[at] ?? 0, messages.subarray(at + 4, at + 4 + length));
    at += 4 + length;
  }
  stream.messages = Buffer.from(messages.subarray(at));
}

const SERVER_KEY_EXCHANGE = 12;
const SERVER_HELLO_DONE = 14;
const CLIENT_KEY_EXCHANGE = 16;

function readMessage(from: Role, draft: Draft, type: number, body: Buffer): void {
  if (from === 'client' && type === CLIENT_HELLO) draft.hello ??= helloOf(body);
  if (from === 'server' && type === SERVER_HELLO) draft.version ??= versionOf(body);
  if (from === 'server' && (type === SERVER_KEY_EXCHANGE || type === SERVER_HELLO_DONE)) draft.hasKeyExchange = true;
  if (from === 'client' && type === CLIENT_KEY_EXCHANGE) draft.clientWentOn = true;
  if (type !== CERTIFICATE || draft.version === '1.3') return;
  const certificates = certificatesOf(body);
  if (from === 'server') draft.certificates ??= certificates;
  else draft.clientCertificate ??= certificates.length > 0;
}

/** A part with its length before it, of so many bytes; shorter where the bytes end. */
function part(body: Buffer, at: number, lengthBytes: 1 | 2 | 3): Buffer {
  if (at + lengthBytes > body.length) return Buffer.alloc(0);
  const length = body.readUIntBE(at, lengthBytes);
  return body.subarray(at + lengthBytes, at + lengthBytes + length);
}

function helloOf(body: Buffer): ClientHello {
  const session = part(body, 34, 1).length;
  const ciphers = part(body, 35 + session, 2).length;
  const compressions = part(body, 37 + session + ciphers, 1).length;
  const names = extensionsOf(body, 38 + session + ciphers + compressions).get(SERVER_NAME);
  // A list of names, of which the first is a host name (RFC 6066 §3).
  const name = names === undefined ? '' : part(names, 3, 2).toString('latin1');
  return {
    random: body.toString('hex', 2, 34),
    serverName: name === '' ? null : name.slice(0, 255),
  };
}

function versionOf(body: Buffer): string | null {
  if (body.length < 38) return null;
  const session = part(body, 34, 1).length;
  const chosen = extensionsOf(body, 38 + session).get(SUPPORTED_VERSIONS);
  const version = chosen !== undefined && chosen.length >= 2 ? chosen.readUInt16BE(0) : body.readUInt16BE(0);
  return VERSIONS.get(version) ?? `0x${version.toString(16)}`;
}

function extensionsOf(body: Buffer, from: number): ReadonlyMap<number, Buffer> {
  const all = part(body, from, 2);
  const found = new Map<number, Buffer>();
  for (let at = 0; at + 4 <= all.length; ) {
    const value = part(all, at + 2, 2);
    found.set(all.readUInt16BE(at), value);
    at += 4 + value.length;
  }
  return found;
}

function certificatesOf(body: Buffer): readonly Uint8Array[] {
  const list = part(body, 0, 3);
  const found: Uint8Array[] = [];
  for (let at = 0; at + 3 <= list.length && found.length < MAX_CERTIFICATES; ) {
    const der = part(list, at, 3);
    found.push(new Uint8Array(der));
    at += 3 + der.length;
  }
  return found;
}
