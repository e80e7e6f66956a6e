import { createSocket } from 'node:dgram';
import type { RemoteInfo } from 'node:dgram';

export type SnmpFault =
  | 'none'
  | 'silent'
  | 'garbage'
  | 'wrong-community'
  | 'error-status'
  | 'lose-first'
  /** Answers the request as authenticated SNMPv3, with the same id. */
  | 'other-version';

export interface SnmpAgentOptions {
  /** @default public */
  readonly community?: string;
  /** @default 127.0.0.1 */
  readonly address?: string;
  readonly port?: number;
  /**
   * Values by OID, without a leading dot. A number is an INTEGER, a string an OCTET STRING. They can be changed while
   * the agent runs.
   */
  readonly objects: Map<string, number | string>;
}

export interface SnmpAgent extends AsyncDisposable {
  readonly host: string;
  readonly port: number;
  /** Number of requests with the right community. */
  requests(): number;
  setFault(fault: SnmpFault): void;
  close(): Promise<void>;
}

/** BER tags of SNMPv2c: RFC 3416 §3, X.690. */
const INTEGER = 0x02;
const OCTET_STRING = 0x04;
const OBJECT_ID = 0x06;
const SEQUENCE = 0x30;
const RESPONSE = 0xa2;
const NO_SUCH_OBJECT = 0x80;
const GENERAL_ERROR = 5;

/**
 * Starts an agent that answers SNMPv2c GET over UDP. It is written from the RFCs, independently of the client's
 * library.
 */
export async function createSnmpAgent(options: SnmpAgentOptions): Promise<SnmpAgent> {
  const community = options.community ?? 'public';
  const socket = createSocket('udp4');
  let fault: SnmpFault = 'none';
  let received = 0;

  function onMessage(message: Buffer, from: RemoteInfo): void {
    const request = parseRequest(message);
    if (request === null || request.community !== community) return;
    received += 1;
    if (fault === 'silent' || (fault === 'lose-first' && received === 1)) return;
    socket.send(answerTo(request), from.port, from.address);
  }

  function answerTo(request: Request): Buffer {
    if (fault === 'garbage') return Buffer.from('no SNMP at all');
    return fault === 'other-version' ? asVersion3(request) : replyTo(request, options.objects, fault);
  }

  socket.on('message', onMessage);
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject).bind(options.port ?? 0, options.address ?? '127.0.0.1', resolve);
  });
  const { address, port } = socket.address();
  let open = true;

  async function close(): Promise<void> {
    if (!open) return;
    open = false;
    await new Promise<void>((resolve) => socket.close(resolve));
  }

  return {
    host: address,
    port,
    requests: () => received,
    setFault: (next) => {
      fault = next;
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

interface Request {
  readonly version: Buffer;
  readonly community: string;
  readonly id: Buffer;
  /** Encoded as in the request. */
  readonly oids: readonly Buffer[];
}

interface Element {
  readonly tag: number;
  readonly content: Buffer;
}

function parseRequest(message: Buffer): Request | null {
  const [envelope] = elements(message);
  const [version, community, pdu] = elements(envelope?.content);
  const [id, , , bindings] = elements(pdu?.content);
  if (version === undefined || community === undefined || id === undefined || bindings === undefined) return null;
  const oids = elements(bindings.content).flatMap((binding) => elements(binding.content)[0]?.content ?? []);
  return { version: version.content, community: community.content.toString('utf8'), id: id.content, oids };
}

function replyTo(request: Request, objects: ReadonlyMap<string, number | string>, fault: SnmpFault): Buffer {
  const bindings = request.oids.map((oid) =>
    encode(SEQUENCE, encode(OBJECT_ID, oid), valueOf(objects.get(oidText(oid)))),
  );
  const status = fault === 'error-status' ? GENERAL_ERROR : 0;
  const community = fault === 'wrong-community' ? 'another' : request.community;
  return encode(
    SEQUENCE,
    encode(INTEGER, request.version),
    encode(OCTET_STRING, Buffer.from(community, 'utf8')),
    encode(RESPONSE, encode(INTEGER, request.id), integer(status), integer(0), encode(SEQUENCE, ...bindings)),
  );
}

/** RFC 3412 §6, RFC 3414 §2.4: the flags mark it as authenticated. */
function asVersion3({ id }: Request): Buffer {
  const engine = encode(OCTET_STRING, Buffer.from([1, 2, 3, 4, 5]));
  const none = encode(OCTET_STRING);
  const security = encode(SEQUENCE, engine, integer(1), integer(1), none, encode(OCTET_STRING, Buffer.alloc(12)), none);
  return encode(
    SEQUENCE,
    integer(3),
    encode(SEQUENCE, encode(INTEGER, id), integer(1472), encode(OCTET_STRING, Buffer.from([1])), integer(3)),
    encode(OCTET_STRING, security),
    encode(SEQUENCE, engine, none, encode(RESPONSE, encode(INTEGER, id), integer(0), integer(0), encode(SEQUENCE))),
  );
}

function valueOf(value: number | string | undefined): Buffer {
  if (value === undefined) return encode(NO_SUCH_OBJECT);
  return typeof value === 'number' ? integer(value) : encode(OCTET_STRING, Buffer.from(value, 'latin1'));
}

/** Values up to 127 take one byte, others two, which is sufficient for the tests. */
function integer(value: number): Buffer {
  return encode(INTEGER, value < 0x80 ? Buffer.from([value]) : Buffer.from([value >> 8, value & 0xff]));
}

/** Supports short and two-byte lengths. */
function encode(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const length = content.length < 0x80 ? [content.length] : [0x82, content.length >> 8, content.length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...length]), content]);
}

function elements(buffer: Buffer | undefined): readonly Element[] {
  const found: Element[] = [];
  let at = 0;
  while (buffer !== undefined && at + 2 <= buffer.length) {
    const first = buffer.readUInt8(at + 1);
    const extra = first < 0x80 ? 0 : first & 0x7f;
    const length = extra === 0 ? first : buffer.readUIntBE(at + 2, extra);
    const start = at + 2 + extra;
    found.push({ tag: buffer.readUInt8(at), content: buffer.subarray(start, start + length) });
    at = start + length;
  }
  return found;
}

function oidText(content: Buffer): string {
  const first = content.readUInt8(0);
  const numbers = [Math.floor(first / 40), first % 40];
  let value = 0;
  for (const byte of content.subarray(1)) {
    value = value * 128 + (byte & 0x7f);
    if ((byte & 0x80) === 0) {
      numbers.push(value);
      value = 0;
    }
  }
  return numbers.join('.');
}
