import type { EpochMs, Millis } from '../../core/clock.ts';

export interface SntpRequest {
  /**
   * Eight random bytes instead of the current time, which is not disclosed. The server returns them as origin
   * timestamp.
   */
  readonly nonce: Buffer;
  readonly sentAt: EpochMs;
}

export type SntpReading =
  | { readonly kind: 'time'; readonly receiveAt: EpochMs; readonly transmitAt: EpochMs }
  /** A genuine reply without a usable time, because the server is not synchronised or sent a kiss-o'-death packet. */
  | { readonly kind: 'refused'; readonly why: string };

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

export function encodeRequest(nonce: Buffer): Buffer {
  const packet = Buffer.alloc(PACKET_BYTES);
  packet[0] = CLIENT_V4;
  nonce.copy(packet, TRANSMIT, 0, NONCE_BYTES);
  return packet;
}

/** Returns null if the packet is not a reply to the request (forged, late or malformed). Never throws. */
export function readReply(packet: Buffer, request: SntpRequest): SntpReading | null {
  if (packet.length < PACKET_BYTES) return null;
  const first = packet.readUInt8(0);
  const stratum = packet.readUInt8(1);
  if ((first & 7) !== MODE_SERVER) return null;
  if (!packet.subarray(ORIGIN, ORIGIN + NONCE_BYTES).equals(request.nonce)) return null;
  // At stratum 0, the reference ID is a four-character code for the reason (RFC 5905 §7.4).
  if (stratum === 0) return { kind: 'refused', why: `The server sent a kiss-o'-death packet, "${kissCode(packet)}"` };
  if (stratum >= STRATUM_UNSYNCHRONISED || first >> 6 === LEAP_UNSYNCHRONISED)
    return { kind: 'refused', why: 'The server is not synchronised' };
  const receiveAt = timestamp(packet, RECEIVE);
  const transmitAt = timestamp(packet, TRANSMIT);
  if (receiveAt === null || transmitAt === null) return { kind: 'refused', why: 'The reply contains no time' };
  return { kind: 'time', receiveAt, transmitAt };
}

/** Calculates the clock offset (RFC 5905 §8). `roundTrip` is measured with a monotonic clock. */
export function offsetOf(reading: Extract<SntpReading, { kind: 'time' }>, sentAt: EpochMs, roundTrip: Millis): Millis {
  return (reading.receiveAt - sentAt + (reading.transmitAt - (sentAt + roundTrip))) / 2;
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
