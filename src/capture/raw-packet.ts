import type { EpochMs } from '../core/clock.ts';

/** One packet of a capture, from the link header on. */
export interface RawPacket {
  /** When it was captured. Of a file with relative times: since its beginning. */
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

export type CaptureFormat = 'pcap' | 'pcapng' | 'fortigate' | 'tcpdump';

/** Reads one format, chunk by chunk. Both functions throw `CaptureError`. */
export interface FormatReader {
  readonly format: () => CaptureFormat;
  /** Gives the packets that are complete by now. */
  readonly read: (chunk: Buffer) => Iterable<RawPacket>;
  /** Reads what is left at the end of the file. */
  readonly end: () => Iterable<RawPacket>;
  /** What a person should know about the file. */
  readonly notes: () => readonly string[];
  /** The device that captured, as its prompt names it; null: the file does not say. */
  readonly device: () => string | null;
  /** Packets are dated from the beginning of the capture, or from midnight, and not absolutely. */
  readonly areTimesRelative: () => boolean;
}

/** The file cannot be read from some offset on: the message has the offset, and what was expected there. */
export class CaptureError extends Error {
  override readonly name = 'CaptureError';
}
