import { randomBytes } from 'node:crypto';
import { authority, type HostPort } from '../core/addresses.ts';
import type { ClockObservation } from '../core/observation.ts';
import { type SystemLookup, locate } from '../network/lookup.ts';
import { deadline } from '../system/clock.ts';
import type { Millis } from '../core/clock.ts';
import type { ProbeContext } from '../network/context.ts';
import { failureFrom, overdueOr, ProbeError } from '../network/failure.ts';
import { exchangeUdp } from '../network/udp-exchange.ts';
import { encodeRequest, offsetOf, readReply, type SntpReading, type SntpRequest } from '../network/ntp/sntp.ts';

/** Includes the name lookup and a second attempt. */
const NTP_DEADLINE: Millis = 3000;

const RETRANSMIT_AFTER: Millis = 1000;

type Offset = Extract<ClockObservation['outcome'], { kind: 'offset' }>;

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

async function ask(server: HostPort, system: SystemLookup, ctx: ProbeContext, signal: AbortSignal): Promise<Offset> {
  const at = await locate({ ...server, sourceAddress: ctx.sourceAddress }, system, signal);
  const pending: Sent[] = [];
  const { reading, sent, roundTrip } = await exchangeUdp(
    {
      server: at,
      clock: ctx.clock,
      retransmitAfter: RETRANSMIT_AFTER,
      packet: () => {
        const nonce = randomBytes(8);
        pending.push({ nonce, sentAt: ctx.clock.now(), sentElapsed: ctx.clock.elapsed() });
        return encodeRequest(nonce);
      },
      read: (bytes) => readAny(bytes, pending, ctx.clock.elapsed()),
    },
    signal,
  );
  if (reading.kind === 'refused') throw new ProbeError('rejected', reading.why);
  // The server's processing time, from receiving the request to sending the reply, is subtracted.
  const networkTime = Math.max(0, roundTrip - (reading.transmitAt - reading.receiveAt));
  return { kind: 'offset', offsetMs: offsetOf(reading, sent.sentAt, roundTrip), precisionMs: networkTime / 2 };
}

interface Sent extends SntpRequest {
  readonly sentElapsed: Millis;
}

interface Answered {
  readonly reading: SntpReading;
  readonly sent: Sent;
  readonly roundTrip: Millis;
}

/** The reply to the first request may arrive after the second request was sent. */
function readAny(bytes: Buffer, pending: readonly Sent[], now: Millis): Answered | null {
  for (const sent of pending) {
    const reading = readReply(bytes, sent);
    if (reading !== null) return { reading, sent, roundTrip: now - sent.sentElapsed };
  }
  return null;
}
