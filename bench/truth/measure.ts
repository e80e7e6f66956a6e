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

/** Ten kinds of faults that end in one cause each, and are told by mail. */
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
  /** Of each kind. */
  readonly times: number;
  readonly everySeconds: number;
  /** FortiAuthenticator complains in its log a second after the fault has begun. */
  readonly isLogged: boolean;
  readonly onFault: (told: TimeToTruth) => void;
}

/** One fault; times since it began, or since the line in the log. null: not within a quarter of an hour. */
export interface TimeToTruth {
  readonly fault: string;
  /** Until the incident of its very cause was open. */
  readonly opened: Millis | null;
  /** Until the mail that names it was accepted by the administrators' server. */
  readonly mailed: Millis | null;
}

/** Monday: no maintenance window is near. */
const START: EpochMs = Date.parse('2026-10-05T06:00:00Z');
const MINUTE: Millis = 60_000;
const PATIENCE: Millis = 15 * MINUTE;
/** Steps in which the simulated time goes on, and so how exactly the moment of a fault's end follows its mail. */
const STEP: Millis = 1_000;
/** Of a log line after the fault. */
const LINE_AFTER: Millis = 1_000;

/** Lets one fault after the other happen to the real daemon, in the simulated time of the soak. */
export async function measureTruth(options: TruthOptions): Promise<readonly TimeToTruth[]> {
  const { everySeconds, times, onFault } = options;
  await using stack = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'ftm-watch-truth-'));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  const said: SaidLine[] = [];
  const conductor = stack.use(new Conductor(START, (line) => said.push(line)));
  const certificates = await createCertificates();
  const world = stack.use(await createWorld(folder, certificates, conductor));
  const configFile = await writeConfiguration(folder, everySeconds, certificates);
  await conductor.start({ configFile, folder, start: START });
  const chance = new Chance(1);
  const faults = Array.from({ length: times }, () => chance.shuffled(KINDS)).flat();
  const found: TimeToTruth[] = [];
  await advance(world, 5 * MINUTE);
  for (const name of faults) {
    // Anywhere between two rounds.
    await advance(world, chance.between(0, Math.max(30, everySeconds) * 1_000));
    const one = await suffer(faultNamed(name), { world, said }, options);
    found.push(one);
    onFault(one);
  }
  await conductor.order({ kind: 'stop' });
  return found;
}

interface Site {
  readonly world: World;
  readonly said: readonly SaidLine[];
}

async function suffer(fault: Fault, site: Site, { isLogged }: TruthOptions): Promise<TimeToTruth> {
  const { world } = site;
  await fault.begin(world);
  if (isLogged) {
    await advance(world, LINE_AFTER);
    await world.log.say('FTM polling error: connection timeout', 'error');
  }
  const since = world.conductor.elapsed();
  const mailed = (): Millis | null => mailOf(fault, world, since);
  await until(world, () => mailed() !== null);
  const told = {
    fault: fault.name,
    opened: sinceThen(openedAt(fault, site, since), since),
    mailed: sinceThen(mailed(), since),
  };
  await fault.end(world);
  await until(world, () => isQuiet(site));
  await advance(world, MINUTE);
  return told;
}

const BEGINNINGS: readonly string[] = ['opened', 'reopened', 'changed'];

function openedAt({ cause }: Fault, { said }: Site, since: Millis): Millis | null {
  const line = said.find((one) => one.at >= since && one.cause === cause && BEGINNINGS.includes(one.transition ?? ''));
  return line?.at ?? null;
}

/** No incident is open: the next fault would be taken for a part of it. */
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

function sinceThen(at: Millis | null, since: Millis): Millis | null {
  return at === null ? null : at - since;
}

async function until(world: World, isDone: () => boolean): Promise<void> {
  const end = world.conductor.elapsed() + PATIENCE;
  while (!isDone() && world.conductor.elapsed() < end) await advance(world, STEP);
}

async function advance({ conductor }: World, by: Millis): Promise<void> {
  await conductor.order({ kind: 'advance', until: conductor.elapsed() + by });
}
