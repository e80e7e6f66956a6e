import type { EpochMs, Millis } from '../../core/clock.ts';
import type { FirewallEvidence, LogEvent, LogSource } from '../../core/polling/log-event.ts';
import { UNNAMED } from '../../core/polling/state.ts';
import { sampleOf } from './sample.ts';

export interface FoundLine {
  readonly at: EpochMs;
  readonly line: string;
  readonly source: LogSource;
  /** Lines alike that a relay made one of it. */
  readonly times: number;
}

interface Pending {
  readonly appliance: string | null;
  readonly signature: string;
  readonly evidence: FirewallEvidence | null;
  found: FoundLine;
  count: number;
}

/** Lines of a file that is being caught up with are apart in time: they are gathered by the second. */
const GRAIN: Millis = 1000;
const HEARD_EVERY: Millis = 1000;
/** Kinds of events in one turn; more are handed on in between. */
const MAX_PENDING = 512;

/** Gathers what the lines of one turn of the event loop say, and hands it on at its end: a flood becomes few events. */
export class EventOutbox {
  readonly #deliver: (event: LogEvent) => void;
  readonly #pending = new Map<string, Pending>();
  readonly #heardAt = new Map<string | null, EpochMs>();
  readonly #toldAt = new Map<string | null, EpochMs>();
  #scheduled = false;

  /** @param deliver must not throw */
  constructor(deliver: (event: LogEvent) => void) {
    this.#deliver = deliver;
  }

  ftm(appliance: string | null, signature: string, found: FoundLine): void {
    const key = `${signature} ${grainOf(found.at)} ${appliance ?? ''}`;
    this.#add(key, { appliance, signature, evidence: null, found, count: found.times });
  }

  evidence(signature: string, evidence: FirewallEvidence, found: FoundLine): void {
    const { policy, profile, device } = evidence;
    const key = `${signature} ${grainOf(found.at)} ${String(policy)} ${String(profile)} ${String(device)}`;
    this.#add(key, { appliance: null, signature, evidence, found, count: found.times });
  }

  heard(appliance: string | null, at: EpochMs): void {
    this.#heardAt.set(appliance, at);
    this.#schedule();
  }

  /** By appliance; `unnamed` for lines without one. */
  lastReceivedAt(): ReadonlyMap<string, EpochMs> {
    return new Map([...this.#heardAt].map(([appliance, at]) => [appliance ?? UNNAMED, at]));
  }

  /** Hands everything on now. */
  flush(): void {
    for (const [appliance, at] of this.#heardAt) {
      const told = this.#toldAt.get(appliance);
      if (told !== undefined && Math.abs(at - told) < HEARD_EVERY) continue;
      this.#toldAt.set(appliance, at);
      this.#deliver({ kind: 'heard', appliance, at });
    }
    const entries = [...this.#pending.values()];
    this.#pending.clear();
    for (const entry of entries) this.#deliver(eventOf(entry));
  }

  #add(key: string, added: Pending): void {
    const entry = this.#pending.get(key);
    if (entry !== undefined) {
      entry.found = added.found;
      entry.count += added.count;
      return;
    }
    this.#pending.set(key, added);
    if (this.#pending.size >= MAX_PENDING) this.flush();
    else this.#schedule();
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.flush();
    });
  }
}

function grainOf(at: EpochMs): string {
  return String(Math.floor(at / GRAIN));
}

function eventOf({ appliance, signature, evidence, found, count }: Pending): LogEvent {
  const { at, source } = found;
  const line = sampleOf(found.line);
  if (evidence === null) return { kind: 'ftm', appliance, signature, at, count, line, source };
  return { kind: 'firewall-evidence', signature, at, count, evidence, line, source };
}
