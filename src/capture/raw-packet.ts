import type { EpochMs } from '../core/clock.ts';

/** One packet of a capture, from the link header on. */
export interface RawPacket {
  /** When it was captured. Of a file with relative times: since its beginning, or since midnight. */
  readonly at: EpochMs;
  /** Number of the link type (https://www.tcpdump.org/linktypes.html), or `text`: a dump does not say which. */
  readonly link: number | 'text';
  /** As far as it was captured. Valid until the next packet is read. */
  readonly bytes: Buffer;
  /** Bytes that it had on the wire. */
  readonly length: number;
  /** Name of the interface; null: the file does not say. */
  readonly port: string | null;
  /** Whether the device that captured received or sent it; null: the file does not say. */
  readonly direction: 'in' | 'out' | null;
}

/** What a file says about itself, as far as it was read. */
export interface FormatFacts {
  format: 'pcap' | 'pcapng' | 'fortigate' | 'tcpdump';
  /** The device that captured, as its prompt names it; null: the file does not say. */
  device: string | null;
  /** Packets are dated from the beginning of the capture, or from midnight, and not absolutely. */
  isRelative: boolean;
  /** Packets of a dump of which a line is missing. */
  broken: number;
}

/** Reads one format, piece by piece. Both functions throw `CaptureError`. */
export interface FormatReader {
  readonly facts: Readonly<FormatFacts>;
  readonly read: (chunk: Buffer) => void;
  /** Reads what is left at the end of the file. */
  readonly end: () => void;
}

export type OnPacket = (packet: RawPacket) => void;

/** The file cannot be read from some offset on: the message has the offset, and what was expected there. */
export class CaptureError extends Error {
  override readonly name = 'CaptureError';
}

/** Longest packet that is accepted: twice libpcap's MAXIMUM_SNAPLEN (262144). */
export const MAX_PACKET = 524_288;
