import { createSocket } from 'node:dgram';
import { once } from 'node:events';

/** An NTP answer that a test can change. Times are milliseconds since 1970. */
export interface NtpAnswer {
  readonly leap: number;
  readonly mode: number;
  readonly stratum: number;
  /** Four characters. */
  readonly referenceId: string;
  readonly origin: Buffer;
  readonly receiveAt: number;
  readonly transmitAt: number;
}

/** null: no answer. A Buffer is sent unchanged. */
export type NtpHandler = (request: Buffer, usual: NtpAnswer) => readonly (NtpAnswer | Buffer)[] | null;

export interface NtpServer extends AsyncDisposable {
  readonly port: number;
  readonly requests: readonly Buffer[];
}

const SECONDS_1900_TO_1970 = 2_208_988_800;

/** Starts a real NTP server on 127.0.0.1, `offsetMs` ahead of this machine. */
export async function createNtpServer(
  offsetMs: number,
  handler: NtpHandler = (_request, usual) => [usual],
): Promise<NtpServer> {
  const requests: Buffer[] = [];
  const socket = createSocket('udp4');
  socket.on('message', (request, from) => {
    requests.push(request);
    const now = Date.now() + offsetMs;
    const usual = {
      leap: 0,
      mode: 4,
      stratum: 2,
      referenceId: 'GPS\0',
      origin: request.subarray(40, 48),
      receiveAt: now,
      transmitAt: now,
    };
    for (const answer of handler(request, usual) ?? []) {
      socket.send(Buffer.isBuffer(answer) ? answer : encodeNtp(answer), from.port, from.address);
    }
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return {
    port: socket.address().port,
    requests,
    [Symbol.asyncDispose]: async () => {
      socket.close();
      await once(socket, 'close');
    },
  };
}

export function encodeNtp(answer: NtpAnswer): Buffer {
  const packet = Buffer.alloc(48);
  packet[0] = (answer.leap << 6) | (4 << 3) | answer.mode;
  packet[1] = answer.stratum;
  packet.write(answer.referenceId, 12, 4, 'latin1');
  answer.origin.copy(packet, 24);
  writeTimestamp(packet, 32, answer.receiveAt);
  writeTimestamp(packet, 40, answer.transmitAt);
  return packet;
}

/** NaN: no timestamp. */
function writeTimestamp(packet: Buffer, at: number, time: number): void {
  if (Number.isNaN(time)) return;
  const seconds = Math.floor(time / 1000) + SECONDS_1900_TO_1970;
  packet.writeUInt32BE(seconds % 0x1_0000_0000, at);
  packet.writeUInt32BE(Math.floor(((time % 1000) / 1000) * 0x1_0000_0000), at + 4);
}
