import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { EpochMs, Millis } from '../../src/core/clock.ts';
import { createCertificates } from '../soak/certificates.ts';
import { Conductor } from '../soak/conductor.ts';
import { writeConfiguration } from '../soak/configuration.ts';
import { type Fault, faultNamed } from '../soak/faults.ts';
import type { SaidLine } from '../soak/protocol.ts';
import { Chance } from '../soak/random.ts';
import { readMail } from '../soak/read-mail.ts';
import { createWorld, type World } from '../soak/world.ts';
import { beginningOfRound } from './rounds.ts';

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

export interface TruthOptions {
  /** Number of faults of each kind. */
  readonly times: number;
  readonly everySeconds: number;
  /** Minimum time from the end of one fault to the next. */
  readonly pause: Millis;
  /**
   * How FortiAuthenticator reports an error a second after the fault has begun: by a datagram, or in a followed file,
   * which proves the sender. null: not at all.
   */
  readonly complains: 'datagram' | 'file' | null;
  readonly onFault: (told: TimeToTruth) => void;
}

/** One fault, with times since it began or since the line in the log. null: not within 15 minutes. */
export interface TimeToTruth {
  readonly fault: string;
  /** Until the start of the round that first showed the exact cause. */
  readonly begun: Millis | null;
  /** Until the end of that round. */
  readonly shown: Millis | null;
  /** Until the incident with the exact cause was open. */
  readonly opened: Millis | null;
  /** Until the mail with the cause was accepted by the administrators' server. */
  readonly mailed: Millis | null;
}

/** A Monday, far from any maintenance window. */
const START: EpochMs = Date.parse('2026-10-05T06:00:00Z');
const MINUTE: Millis = 60_000;
const PATIENCE: Millis = 15 * MINUTE;
/** Step of the simulated time, and so the precision with which a fault's end follows its mail. */
const STEP: Millis = 1_000;
/** Delay of the log line after the fault. */
const LINE_AFTER: Millis = 1_000;
/** With the default of 20, the faults of one hour would wait for a digest. No real site has that many. */
const MAILS_PER_HOUR = 1_000;

/** Runs one fault after the other against the real daemon, in the simulated time of the soak. */
export async function measureTruth(options: TruthOptions): Promise<readonly TimeToTruth[]> {
  const { everySeconds, pause, times, onFault } = options;
  await using stack = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'ftm-watch-truth-'));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  const said: SaidLine[] = [];
  const conductor = stack.use(new Conductor(START, (line) => said.push(line)));
  const certificates = await createCertificates();
  const world = stack.use(await createWorld(folder, certificates, conductor));
  const configFile = await writeConfiguration(folder, { everySeconds, mailsPerHour: MAILS_PER_HOUR }, certificates);
  await conductor.start({ configFile, folder, start: START });
  const chance = new Chance(1);
  const faults = Array.from({ length: times }, () => chance.shuffled(KINDS)).flat();
  const found: TimeToTruth[] = [];
  await advance(world, 5 * MINUTE);
  for (const name of faults) {
    await advance(world, pause);
    // Otherwise its silence would be reported as well.
    await world.log.say('System started');
    // At any time between two rounds.
    await advance(world, chance.between(0, Math.max(30, everySeconds) * 1_000));
    const one = await suffer(faultNamed(name), { world, said, folder }, options);
    found.push(one);
    onFault(one);
  }
  await conductor.order({ kind: 'stop' });
  return found;
}

interface Site {
  readonly world: World;
  readonly said: readonly SaidLine[];
  readonly folder: string;
}

async function suffer(fault: Fault, site: Site, { complains }: TruthOptions): Promise<TimeToTruth> {
  const { world } = site;
  const begins = world.conductor.elapsed();
  await fault.begin(world);
  if (complains !== null) await complain(world, complains);
  const since = world.conductor.elapsed();
  const mailed = (): Millis | null => mailOf(fault, world, begins);
  await until(world, () => mailed() !== null);
  const shown = shownAt(fault, site, begins);
  const told = {
    fault: fault.name,
    begun: sinceThen(shown === null ? null : beginningOfRound(site.folder, START + shown) - START, since),
    shown: sinceThen(shown, since),
    opened: sinceThen(openedAt(fault, site, begins), since),
    mailed: sinceThen(mailed(), since),
  };
  await fault.end(world);
  await until(world, () => isQuiet(site));
  return told;
}

async function complain(world: World, way: NonNullable<TruthOptions['complains']>): Promise<void> {
  await advance(world, LINE_AFTER);
  const [line, level] = ['FTM polling error: connection timeout', 'error'] as const;
  await (way === 'datagram' ? world.log.say(line, level) : world.log.write(line, level));
}

const BEGINNINGS: readonly string[] = ['opened', 'reopened', 'changed'];

/** Returns when the round ended that showed the cause. The daemon logs the result of a round only if it has changed. */
function shownAt({ cause }: Fault, { said }: Site, since: Millis): Millis | null {
  const line = said.find((one) => one.at >= since && one.causes?.some(({ id }) => id === cause) === true);
  return line?.at ?? null;
}

function openedAt({ cause }: Fault, { said }: Site, since: Millis): Millis | null {
  const line = said.find((one) => one.at >= since && one.cause === cause && BEGINNINGS.includes(one.transition ?? ''));
  return line?.at ?? null;
}

/** Reports whether no incident is open. Otherwise the next fault would be counted as a part of it. */
function isQuiet({ said }: Site): boolean {
  const open = new Set<string>();
  for (const { incident, transition } of said) {
    if (incident === undefined || transition === undefined) continue;
    if (transition === 'closed') open.delete(incident);
    else open.add(incident);
  }
  return open.size === 0;
}

function mailOf({ cause }: Fault, { inbox }: World, since: Millis): Millis | null {
  const mails = inbox.received.map(({ at, text }) => readMail(at, text));
  return mails.find(({ at, causes }) => at >= since && causes.includes(cause))?.at ?? null;
}

/** A round may have started before the line was logged. */
function sinceThen(at: Millis | null, since: Millis): Millis | null {
  return at === null ? null : Math.max(0, at - since);
}

async function until(world: World, isDone: () => boolean): Promise<void> {
  const end = world.conductor.elapsed() + PATIENCE;
  while (!isDone() && world.conductor.elapsed() < end) await advance(world, STEP);
}

async function advance({ conductor }: World, by: Millis): Promise<void> {
  await conductor.order({ kind: 'advance', until: conductor.elapsed() + by });
}
