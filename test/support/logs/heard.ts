import type { LogEvent } from '../../../src/core/polling/log-event.ts';
import { Framer } from '../../../src/logs/framing.ts';
import { EventOutbox, LogReader } from '../../../src/logs/reader.ts';
import type { Attribution, Origin } from '../../../src/logs/senders.ts';
import { type LineTally, newLineTally } from '../../../src/logs/tally.ts';
import { handClock } from '../time/hand-clock.ts';
import { shippedCatalogue } from './signature-catalogue.ts';

const signatures = await shippedCatalogue();
const watched = { hosts: ['fortitokenmobile.fortinet.com'], addresses: ['173.243.138.0/24'], sources: [] };

/** Returns what the intake takes from the chunks of one stream over TCP. */
export function heard(
  chunks: readonly Buffer[],
  from: { readonly attribution: Attribution; readonly origin: Origin; readonly octetCounting?: boolean },
): { readonly tally: LineTally; readonly events: readonly LogEvent[] } {
  const { attribution, origin, octetCounting = true } = from;
  const events: LogEvent[] = [];
  const outbox = new EventOutbox((event) => events.push(event));
  const tally = newLineTally();
  const context = { clock: handClock(Date.UTC(2026, 10, 24, 13)), signatures, attribution, watched, outbox };
  const ignored = { foreign: 'count', onForeign: () => undefined, onUnrecognised: () => undefined } as const;
  const reader = new LogReader(context, { source: 'tcp', origin, tally, ...ignored });
  const framer = new Framer((line, cut) => reader.read(line, cut), { octetCounting });
  for (const chunk of chunks) framer.push(chunk);
  framer.end();
  outbox.flush();
  return { tally, events };
}
