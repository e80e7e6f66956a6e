/**
 * Measures the time from a fault to the mail that identifies it, with the real daemon in the simulated time of the
 * soak. See bench/README.md for how to read the results.
 *
 *   npm run bench:truth -- [--times N]
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { EpochMs, Millis } from '../src/core/clock.ts';
import { createCertificates } from './soak/certificates.ts';
import { Conductor } from './soak/conductor.ts';
import { writeConfiguration } from './soak/configuration.ts';
import { faultNamed } from './soak/faults.ts';
import { isInside, putUp, runInside } from './soak/namespace.ts';
import type { SaidLine } from './soak/protocol.ts';
import { Chance } from './soak/random.ts';
import { readMail } from './soak/read-mail.ts';
import { createWorld, type World } from './soak/world.ts';
import { table } from './markdown-table.ts';

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
/** After this time the previous fault has no effect any more: no burst, no share, and no incident that can reopen. */
const APART = 70 * MINUTE;

interface Setting {
  readonly title: string;
  readonly everySeconds: number;
  /** Minimum time from the end of one fault to the next. */
  readonly pause: Millis;
  /**
   * How FortiAuthenticator reports an error a second after the fault has begun: by a datagram, or in a followed file,
   * which proves the sender. null: not at all.
   */
  readonly complains: 'say' | 'write' | null;
}

/** The default schedule, a slow one, and the fastest possible one. */
const SETTINGS: readonly Setting[] = [
  { title: 'a round every 30 s (default), from the fault', everySeconds: 30, complains: null, pause: APART },
  { title: 'the same, one fault right after the other', everySeconds: 30, complains: null, pause: MINUTE },
  { title: 'from a datagram of the log', everySeconds: 30, complains: 'say', pause: APART },
  { title: 'from a line in a file', everySeconds: 30, complains: 'write', pause: APART },
  { title: 'a round every 5 minutes, from the fault', everySeconds: 300, complains: null, pause: APART },
  { title: 'the same, from a datagram of the log', everySeconds: 300, complains: 'say', pause: APART },
  { title: 'a round every second, from the fault', everySeconds: 1, complains: null, pause: 11 * MINUTE },
];

/** A Monday, far from any maintenance window. */
const START: EpochMs = Date.parse('2026-10-05T06:00:00Z');
const PATIENCE: Millis = 15 * MINUTE;
/** With the default of 20, the faults of one hour would wait for a digest. No real site has that many. */
const MAILS_PER_HOUR = 1_000;

interface Site {
  readonly world: World;
  readonly said: readonly SaidLine[];
}

/** Time from a fault, or from its line in the log, to its mail. null: not within 15 minutes. */
interface TimeToMail {
  readonly fault: string;
  readonly mailed: Millis | null;
}

/** Runs one fault after the other against the real daemon. */
async function measure({ everySeconds, pause, complains }: Setting, times: number): Promise<readonly TimeToMail[]> {
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
  const found: TimeToMail[] = [];
  await advance(world, 5 * MINUTE);
  for (const fault of Array.from({ length: times }, () => chance.shuffled(KINDS)).flat()) {
    await advance(world, pause);
    // Otherwise its silence would be reported as well.
    await world.log.say('System started');
    // At any time between two rounds.
    await advance(world, chance.between(0, Math.max(30, everySeconds) * 1_000));
    const mailed = await suffer(fault, { world, said }, complains);
    process.stderr.write(`  ${fault}: mail ${seconds(mailed)}\n`);
    found.push({ fault, mailed });
  }
  await conductor.order({ kind: 'stop' });
  return found;
}

async function suffer(name: string, site: Site, complains: Setting['complains']): Promise<Millis | null> {
  const { world } = site;
  const { conductor } = world;
  const fault = faultNamed(name);
  const begins = conductor.elapsed();
  await fault.begin(world);
  if (complains !== null) {
    await advance(world, 1_000);
    await world.log[complains]('FTM polling error: connection timeout', 'error');
  }
  const since = conductor.elapsed();
  const mailed = (): Millis | undefined =>
    world.inbox.received
      .map(({ at, text }) => readMail(at, text))
      .find(({ at, causes }) => at >= begins && causes.includes(fault.cause))?.at;
  await until(world, () => mailed() !== undefined);
  const at = mailed();
  await fault.end(world);
  await until(world, () => isQuiet(site));
  // A round may have started before the line was logged.
  return at === undefined ? null : Math.max(0, at - since);
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

async function until(world: World, isDone: () => boolean): Promise<void> {
  const end = world.conductor.elapsed() + PATIENCE;
  while (!isDone() && world.conductor.elapsed() < end) await advance(world, 1_000);
}

async function advance({ conductor }: World, by: Millis): Promise<void> {
  await conductor.order({ kind: 'advance', until: conductor.elapsed() + by });
}

/** Faults that were never found are sorted last. */
function rowOf(title: string, found: readonly TimeToMail[]): readonly string[] {
  const sorted = found.map(({ mailed }) => mailed).toSorted((one, other) => (one ?? Infinity) - (other ?? Infinity));
  const at = (share: number): string => seconds(sorted[Math.round(share * (sorted.length - 1))] ?? null);
  return [title, String(found.length), at(0), at(0.5), at(0.9), at(1)];
}

function seconds(time: Millis | null): string {
  return time === null ? 'never' : (time / 1000).toFixed(1);
}

if (isInside(process.env)) {
  putUp();
  const { values } = parseArgs({ options: { times: { type: 'string', default: '5' } } });
  const rows: (readonly string[])[] = [];
  for (const setting of SETTINGS) {
    process.stderr.write(`${setting.title}\n`);
    const found = await measure(setting, Number(values.times));
    const kinds = [...Map.groupBy(found, ({ fault }) => fault)].toSorted(([one], [other]) => (one < other ? -1 : 1));
    rows.push(rowOf(`**${setting.title}**`, found), ...kinds.map(([kind, own]) => rowOf(kind, own)));
  }
  const head = ['Time to the mail with the cause, s', 'faults', 'least', 'median', 'nine in ten', 'most'];
  process.stdout.write(`${table(head, rows).join('\n')}\n`);
} else process.exitCode = await runInside(fileURLToPath(import.meta.url), process.argv.slice(2));
