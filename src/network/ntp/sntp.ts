import { randomBytes } from 'node:crypto';
import { authority, type HostPort } from '../../core/addresses.ts';
import type { EpochMs, Millis } from '../../core/clock.ts';
import type { ClockObservation } from '../../core/observation.ts';
import { deadline } from '../../system/clock.ts';
import type { ProbeContext } from '../context.ts';
import { failureFrom, overdueOr, ProbeError } from '../failure.ts';
import { locate, type SystemLookup } from '../lookup.ts';
import { exchangeUdp } from '../udp-exchange.ts';

/** Includes the name lookup and a second attempt. */
const NTP_DEADLINE: Millis = 3000;

const RETRANSMIT_AFTER: Millis = 1000;

/** Queries one NTP server for the time (SNTP, RFC 4330). Never throws and takes no longer than `NTP_DEADLINE`. */
export async function observeNtp(server: HostPort, system: SystemLookup, ctx: ProbeContext): Promise<ClockObservation> {
  const startedAt = ctx.clock.elapsed();
  const source = authority(server);
  using limit = deadline(ctx.clock, NTP_DEADLINE, ctx.signal);
  try {
    return { source, protocol: 'ntp', outcome: await ask(server, system, ctx, limit.signal) };
  } catch (error) {
    const end = overdueOr(error, limit, (cause) => {
      return new ProbeError('timeout', `No reply within ${String(NTP_DEADLINE)} ms`, { cause });
    });
    return { source, protocol: 'ntp', outcome: failureFrom(end, ctx.clock.elapsed() - startedAt, ctx.signal) };
  }
}

interface SentRequest {
  /**
   * Random bytes are used instead of the current time, so that the time is not disclosed. The server returns them as
   * the origin timestamp.
   */
  readonly nonce: Buffer;
  readonly sentAt: EpochMs;
  readonly sentElapsed: Millis;
}

async function ask(
  server: HostPort,
  system: SystemLookup,
  { clock, sourceAddress }: ProbeContext,
  signal: AbortSignal,
): Promise<Extract<ClockObservation['outcome'], { kind: 'offset' }>> {
  const at = await locate({ ...server, sourceAddress }, system, signal);
  // The reply to the first request may arrive after the second request was sent.
  const pending: SentRequest[] = [];
  const { reading, sentAt, roundTrip } = await exchangeUdp(
    {
      server: at,
      clock,
      retransmitAfter: RETRANSMIT_AFTER,
      packet: () => {
        const nonce = randomBytes(NONCE_BYTES);
        pending.push({ nonce, sentAt: clock.now(), sentElapsed: clock.elapsed() });
        return encodeRequest(nonce);
      },
      read: (bytes) => {
        for (const { nonce, sentAt, sentElapsed } of pending) {
          const reading = readReply(bytes, nonce);
          if (reading !== null) return { reading, sentAt, roundTrip: clock.elapsed() - sentElapsed };
        }
        return null;
      },
    },
    signal,
  );
  if (reading.kind === 'refused') throw new ProbeError('rejected', reading.why);
  const { receiveAt, transmitAt } = reading;
  // The server's processing time, from receiving the request to sending the reply, is subtracted.
  const networkTime = Math.max(0, roundTrip - (transmitAt - receiveAt));
  // RFC 5905 §8. `roundTrip` is measured with a monotonic clock.
  const offsetMs = (receiveAt - sentAt + (transmitAt - (sentAt + roundTrip))) / 2;
  return { kind: 'offset', offsetMs, precisionMs: networkTime / 2 };
}

const PACKET_BYTES = 48;
const NONCE_BYTES = 8;

/** First byte of a request: LI 0, version 4, mode 3 (client). See RFC 5905 §7.3. */
const CLIENT_V4 = 0x23;
const MODE_SERVER = 4;
const LEAP_UNSYNCHRONISED = 3;
const STRATUM_UNSYNCHRONISED = 16;

const ORIGIN = 24;
const RECEIVE = 32;
const TRANSMIT = 40;
const REFERENCE_ID = 12;

/** Number of seconds from 1900-01-01 to 1970-01-01 (RFC 5905 §6). */
const EPOCH_OFFSET = 2_208_988_800;
/** Era 1 begins on 2036-02-07 and contains timestamps whose highest bit is 0 (RFC 4330 §3). */
const ERA_SECONDS = 0x1_0000_0000;
const HALF_ERA = 0x8000_0000;

function encodeRequest(nonce: Buffer): Buffer {
  const packet = Buffer.alloc(PACKET_BYTES);
  packet[0] = CLIENT_V4;
  nonce.copy(packet, TRANSMIT);
  return packet;
}

type SntpReading =
  | { readonly kind: 'time'; readonly receiveAt: EpochMs; readonly transmitAt: EpochMs }
  /**
   * A genuine reply that contains no usable time, because the server is not synchronized or sent a kiss-o'-death
   * packet.
   */
  | { readonly kind: 'refused'; readonly why: string };

/** Returns null if the packet is not a reply to the request (forged, late or malformed). Never throws. */
export function readReply(packet: Buffer, nonce: Buffer): SntpReading | null {
  if (packet.length < PACKET_BYTES) return null;
  const first = packet.readUInt8(0);
  const stratum = packet.readUInt8(1);
  if ((first & 7) !== MODE_SERVER) return null;
  if (!packet.subarray(ORIGIN, ORIGIN + NONCE_BYTES).equals(nonce)) return null;
  // At stratum 0, the reference ID is a four-character code for the reason (RFC 5905 §7.4).
  if (stratum === 0) return { kind: 'refused', why: `The server sent a kiss-o'-death packet, "${kissCode(packet)}"` };
  if (stratum >= STRATUM_UNSYNCHRONISED || first >> 6 === LEAP_UNSYNCHRONISED)
    return { kind: 'refused', why: 'The server is not synchronized' };
  const receiveAt = timestamp(packet, RECEIVE);
  const transmitAt = timestamp(packet, TRANSMIT);
  if (receiveAt === null || transmitAt === null) return { kind: 'refused', why: 'The reply contains no time' };
  return { kind: 'time', receiveAt, transmitAt };
}

function kissCode(packet: Buffer): string {
  return packet.toString('latin1', REFERENCE_ID, REFERENCE_ID + 4).replaceAll(/[^A-Z0-9]/gu, '?');
}

function timestamp(packet: Buffer, at: number): EpochMs | null {
  const seconds = packet.readUInt32BE(at);
  const fraction = packet.readUInt32BE(at + 4);
  if (seconds === 0 && fraction === 0) return null;
  const sinceEpoch = seconds - EPOCH_OFFSET + (seconds < HALF_ERA ? ERA_SECONDS : 0);
  return sinceEpoch * 1000 + (fraction * 1000) / ERA_SECONDS;
}
