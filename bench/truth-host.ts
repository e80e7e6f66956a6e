import type { EpochMs, Millis } from '../src/core/clock.ts';
import { Chance } from '../test/soak/chance.ts';
import { faultNamed } from '../test/soak/faults.ts';
import { startWorld, type World } from '../test/soak/world.ts';
import type { Hosted } from '../test/support/process/host.ts';

export interface TruthSetting {
  readonly everySeconds: number;
  /** Minimum time from the end of one fault to the next. */
  readonly pause: Millis;
  /**
   * How FortiAuthenticator reports an error a second after the fault has begun: by a datagram, or in a followed file,
   * which proves the sender. null: not at all.
   */
  readonly complains: 'say' | 'write' | null;
  /** Number of faults of each kind. */
  readonly times: number;
}

/** Time from a fault, or from its line in the log, to its mail. null: not within 15 minutes. */
export interface TimeToMail {
  readonly fault: string;
  readonly mailed: Millis | null;
}

/** Ten kinds of faults with one cause each, all of which are reported by mail. */
const KINDS: readonly string[] = [
  'internet-unreachable',
  'resolvers-silent',
  'name-not-found',
  'answer-hijacked',
  'egress-blocked',
  'tls-intercepted',
  'tls-half-reset',
  'mail-unreachable',
  'mail-tls-broken',
  'mail-login-rejected',
];

const MINUTE: Millis = 60_000;
/** A Monday, far from any maintenance window. */
const START: EpochMs = Date.parse('2026-10-05T06:00:00Z');
const PATIENCE: Millis = 15 * MINUTE;
/** With the default of 20, the faults of one hour would wait for a digest. No real site has that many. */
const MAILS_PER_HOUR = 1_000;

/** Runs one fault after the other against the real daemon, in the simulated time of the soak. */
export async function host(setting: TruthSetting, stack: AsyncDisposableStack): Promise<Hosted<null, 'measure'>> {
  const { everySeconds } = setting;
  const world = await startWorld(START, { everySeconds, mailsPerHour: MAILS_PER_HOUR }, stack);
  return { ready: null, answer: () => measure(world, setting) };
}

async function measure(
  world: World,
  { everySeconds, pause, complains, times }: TruthSetting,
): Promise<readonly TimeToMail[]> {
  const chance = new Chance(1);
  const found: TimeToMail[] = [];
  await advance(world, 5 * MINUTE);
  for (const fault of Array.from({ length: times }, () => chance.shuffled(KINDS)).flat()) {
    await advance(world, pause);
    // Otherwise its silence would be reported as well.
    await world.log.say('System started');
    // At any time between two rounds.
    await advance(world, chance.between(0, Math.max(30, everySeconds) * 1_000));
    found.push({ fault, mailed: await suffer(fault, world, complains) });
  }
  await world.conductor.order({ kind: 'stop' });
  return found;
}

async function suffer(name: string, world: World, complains: TruthSetting['complains']): Promise<Millis | null> {
  const { conductor, inbox, log, said } = world;
  const { begin, cause } = faultNamed(name);
  const begins = conductor.elapsed();
  const undo = await begin(world);
  if (complains !== null) {
    await advance(world, 1_000);
    await log[complains]('FTM polling error: connection timeout', 'error');
  }
  const since = conductor.elapsed();
  const mailed = (): Millis | undefined =>
    inbox.received.find(({ at, causes }) => at >= begins && causes.includes(cause))?.at;
  await until(world, () => mailed() !== undefined);
  const at = mailed();
  await undo();
  // Otherwise the next fault would be counted as a part of this incident.
  await until(world, () => {
    const changes = said.filter(({ incident, transition }) => incident !== undefined && transition !== undefined);
    const last = new Map(changes.map(({ incident, transition }) => [incident, transition]));
    return [...last.values()].every((transition) => transition === 'closed');
  });
  // A round may have started before the line was logged.
  return at === undefined ? null : Math.max(0, at - since);
}

async function until(world: World, isDone: () => boolean): Promise<void> {
  const end = world.conductor.elapsed() + PATIENCE;
  while (!isDone() && world.conductor.elapsed() < end) await advance(world, 1_000);
}

async function advance({ conductor }: World, by: Millis): Promise<void> {
  await conductor.order({ kind: 'advance', until: conductor.elapsed() + by });
}
