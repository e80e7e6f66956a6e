import { setTimeout as sleep } from 'node:timers/promises';
import { createMailServer, type MailServer } from '../../test/support/mail/mail-server.ts';
import { familyMemory, familyMilliseconds, type ProcessMemory } from '../process-figures.ts';
import type { Site } from '../probes/site.ts';
import { spreadOf, type Spread } from '../statistics.ts';
import { createGate } from './gate.ts';
import { type Monitor, startOwn, startStack } from './monitors.ts';

/** Cost of everything that runs to get a mail about a fault, and how long the mail takes. */
export interface StackCost {
  readonly name: string;
  readonly parts: readonly PartCost[];
  /** From the start of a fault until the mail is accepted, in seconds. */
  readonly mailSeconds: Spread;
}

/** One process, with the processes that it started. */
interface PartCost {
  readonly name: string;
  /** CPU time per five minutes. */
  readonly cpuMs: number;
  readonly memory: ProcessMemory;
}

interface StackEffort {
  readonly minutes: number;
  readonly faults: number;
}

const SETTLED = 30_000;
const MINUTE = 60_000;
const PATIENCE = 5 * MINUTE;
/** Without a fault for this long, everything is well again, and nothing is sent any more. */
const RECOVERED = 2 * MINUTE;
/** Faults begin at different times between two rounds and two scrapes. */
const APART = 11_000;
/** The stack at the interval of Prometheus' example and at that of our rounds, in seconds. */
const INTERVALS = [15, 30];

/** Measures all of them during the same minutes and with the same faults: the licence server resets connections. */
export async function measureStack(
  site: Site,
  { minutes, faults }: StackEffort,
  tell: (text: string) => void,
): Promise<readonly StackCost[]> {
  await using stack = new AsyncDisposableStack();
  const gate = stack.use(await createGate(site.ports.ecdsa));
  const gated: Site = { ...site, ports: { ...site.ports, ecdsa: gate.port } };
  const watched: { readonly monitor: Monitor; readonly sink: MailServer }[] = [];
  const add = async (start: (mailPort: number) => Promise<Monitor>): Promise<void> => {
    const sink = stack.use(await createMailServer());
    watched.push({ monitor: stack.use(await start(sink.port)), sink });
  };
  await add((mailPort) => startOwn(gated, mailPort));
  for (const seconds of INTERVALS) await add((mailPort) => startStack(gated, mailPort, seconds));
  await sleep(SETTLED);

  const before = watched.map(({ monitor }) => monitor.processes.map(({ pid }) => familyMilliseconds(pid)));
  await sleep(minutes * MINUTE);
  const parts = watched.map(({ monitor }, index) =>
    monitor.processes.map(({ name, pid }, at) => ({
      name,
      cpuMs: ((familyMilliseconds(pid) - (before[index]?.[at] ?? 0)) * 5) / minutes,
      memory: familyMemory(pid),
    })),
  );

  const times = watched.map((): number[] => []);
  for (let fault = 0; fault < faults; fault += 1) {
    await sleep(fault === 0 ? 0 : RECOVERED + APART);
    const since = performance.now();
    const seen = watched.map(({ sink }) => sink.mails.length);
    gate.shut();
    await Promise.all(
      watched.map(async ({ monitor, sink }, index) => {
        await mailAfter(sink, seen[index] ?? 0, monitor.name);
        times[index]?.push((performance.now() - since) / 1_000);
      }),
    );
    gate.open();
    tell(`Fault ${String(fault + 1)}: a mail after ${times.map((of) => (of.at(-1) ?? 0).toFixed(1)).join(', ')} s`);
  }
  return watched.map(({ monitor }, index) => ({
    name: monitor.name,
    parts: parts[index] ?? [],
    mailSeconds: spreadOf(times[index] ?? []),
  }));
}

/** @throws {Error} if there is no further mail in five minutes */
async function mailAfter(sink: MailServer, seen: number, name: string): Promise<void> {
  const patience = new AbortController();
  try {
    const late = sleep(PATIENCE, undefined, { signal: patience.signal }).then(() => {
      throw new Error(`No mail of ${name} within five minutes`);
    });
    late.catch(() => undefined);
    await Promise.race([sink.arrived(seen + 1), late]);
  } finally {
    patience.abort();
  }
}
