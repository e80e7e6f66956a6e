import type { LogSource } from '../../core/polling/log-event.ts';
import type { Attribution, Origin } from './attribution.ts';
import type { FramedLine } from './framing.ts';
import { furtherHosts, hostInLine, isNameless } from './line-hosts.ts';

export interface Sender {
  readonly origin: Origin;
  readonly source: LogSource;
}

/** The appliance that a line belongs to; null: it is welcome and of none by name, undefined: nobody's. */
export function ownerOf(
  line: FramedLine,
  { origin, source }: Sender,
  attribution: Attribution,
): string | null | undefined {
  switch (origin.kind) {
    case 'appliance':
      return origin.appliance;
    case 'foreign':
      return undefined;
    case 'unproven':
      return named(line, (host) => attribution.hostName(host));
    case 'relay':
      return named(line, (host) => attribution.host(host)) ?? nameless(line, source, attribution);
  }
}

function named(
  { text, start, end }: FramedLine,
  ownerOfHost: (host: string) => string | undefined,
): string | undefined {
  const host = hostInLine(text, start, end);
  const owner = host === null ? undefined : ownerOfHost(host);
  if (owner !== undefined) return owner;
  for (const further of furtherHosts(text, start, end)) {
    const found = ownerOfHost(further);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** A relay that keeps no header, or a file of one: the only appliance, since its line names no other. */
function nameless({ text, start, end }: FramedLine, source: LogSource, { only }: Attribution): string | undefined {
  if (only === null) return undefined;
  const isOnlys = (source === 'file' && hostInLine(text, start, end) === null) || isNameless(text, start, end);
  return isOnlys ? only : undefined;
}
