import type { EpochMs, Millis } from '../../src/core/clock.ts';
import type { Hosted } from '../support/process/host.ts';
import { FAULTS } from './faults.ts';
import { type Evidence, judge } from './judge.ts';
import { DAY, MINUTE, plan, type Plan, type PlanOptions } from './plan.ts';
import type { Memory } from './protocol.ts';
import { POLLING_ERROR, startWorld, type World } from './world.ts';

export interface SoakOutcome {
  /** A line for each fault. */
  readonly faults: readonly string[];
  /** Faults that were missed or reported wrongly, and reports without a fault, with what happened at that time. */
  readonly complaints: readonly string[];
  readonly falseAlarms: readonly string[];
  /** The product's own errors. */
  readonly errors: readonly string[];
  /** Resident memory after each day, in bytes. */
  readonly resident: readonly number[];
}

/** A level of pino. */
const ERROR = 50;
/** Of the faults and noise that are listed beside a wrong result. */
const AROUND: Millis = 125 * MINUTE;

/** Runs all days, in a network namespace with the addresses of the site. */
export async function host(options: PlanOptions, stack: AsyncDisposableStack): Promise<Hosted<null, 'run'>> {
  const world = await startWorld(options.start, options, stack);
  return { ready: null, answer: () => soak(world, options) };
}

async function soak(world: World, options: PlanOptions): Promise<SoakOutcome> {
  const planned = plan(options);
  const memory = await live(world, actsOf(world, planned, options.days), options.days);
  await world.conductor.order({ kind: 'stop' });
  const evidence: Evidence = {
    changes: world.said.filter(({ event }) => event === 'incident-changed'),
    errors: world.said.filter(({ level }) => level >= ERROR),
    mails: world.inbox.received,
  };
  const { injections, falseAlarms } = judge(planned.injections, evidence);
  const kinds = new Set(planned.injections.map(({ fault }) => fault.name));
  const around = (from: Millis, to: Millis): string => courseOf(planned, evidence, options.start, { from, to });
  tell(`${String(planned.noise.length)} events of noise, ${String(kinds.size)} of ${String(FAULTS.length)} faults`);
  tell(`waits without a reason: ${String(world.conductor.unexplained)}`);
  return {
    faults: injections.map(
      ({ injection: { fault, moment, from }, foundAfter, firing, resolved }) =>
        `${instant(options.start + from)} ${fault.name}, ${moment}: found after ${String(foundAfter)} ms, told ` +
        `${String(firing)} and ${String(resolved)} times`,
    ),
    complaints: injections
      .filter(({ complaints }) => complaints.length > 0)
      .map(
        ({ injection: { fault, from, to }, complaints }) =>
          `${instant(options.start + from)} ${fault.name}: ${complaints.join('; ')}${around(from, to)}`,
      ),
    falseAlarms: falseAlarms.map(({ at, what }) => `${instant(options.start + at)} ${what}${around(at, at)}`),
    errors: evidence.errors.map(({ at, text }) => `${instant(options.start + at)} ${text}`),
    resident: memory.map(({ resident }) => resident),
  };
}

interface Act {
  readonly at: Millis;
  readonly run: () => Promise<unknown> | void;
}

async function live(world: World, acts: readonly Act[], days: number): Promise<readonly Memory[]> {
  const { conductor, said, inbox } = world;
  const measured: Memory[] = [];
  for (let day = 1; day <= days; day += 1) {
    for (const { at, run } of acts.filter((act) => act.at > (day - 1) * DAY && act.at <= day * DAY)) {
      if (at > conductor.elapsed()) await conductor.order({ kind: 'advance', until: at });
      await run();
    }
    await conductor.order({ kind: 'advance', until: day * DAY });
    const { memory } = await conductor.order({ kind: 'measure' });
    if (memory === null) throw new Error('Memory was not measured: a mistake of the product host');
    measured.push(memory);
    const [resident, heap, external] = [memory.resident, memory.heap, memory.external].map((bytes) =>
      (bytes / 1024 ** 2).toFixed(1),
    );
    const incidents = said.filter(({ transition = '' }) => ['opened', 'reopened'].includes(transition)).length;
    tell(
      `day ${String(day)}: ${String(incidents)} incidents, ${String(inbox.received.length)} mails, ` +
        `${String(resident)} MiB (heap ${String(heap)}, external ${String(external)})`,
    );
  }
  return measured;
}

/** Returns the plan and FortiAuthenticator's regular log lines, in order. */
function actsOf(world: World, { injections, noise, restarts }: Plan, days: number): readonly Act[] {
  const { conductor, log } = world;
  const lines = Array.from({ length: days * 144 }, (_, index) => MINUTE + index * 10 * MINUTE);
  return [
    ...injections.flatMap(({ fault: { begin, during, isNoticed }, from, to }) => [
      ...changing(world, { begin, from, to }),
      ...everyFiveMinutes(from, to).flatMap((at): readonly Act[] => [
        ...(during === undefined ? [] : [{ at, run: () => during(world) }]),
        ...(isNoticed && at + 4 * MINUTE < to
          ? [{ at: at + 3 * MINUTE, run: () => log.say(`${POLLING_ERROR}: connection timeout`, 'error') }]
          : []),
      ]),
    ]),
    ...noise.flatMap(({ noise: { begin }, from, to }) => changing(world, { begin, from, to })),
    ...restarts.map((at): Act => ({ at, run: () => conductor.order({ kind: 'restart' }) })),
    ...lines.map((at): Act => ({ at, run: () => speak(world) })),
  ].toSorted((a, b) => a.at - b.at);
}

interface Change {
  readonly begin: (world: World) => ReturnType<Plan['noise'][number]['noise']['begin']>;
  readonly from: Millis;
  readonly to: Millis;
}

function changing(world: World, { begin, from, to }: Change): readonly Act[] {
  let undo: Awaited<ReturnType<typeof begin>> = () => undefined;
  return [
    {
      at: from,
      run: async () => {
        undo = await begin(world);
      },
    },
    { at: to, run: () => undo() },
  ];
}

function everyFiveMinutes(from: Millis, to: Millis): readonly Millis[] {
  const count = Math.max(0, Math.ceil((to - from) / (5 * MINUTE)) - 1);
  return Array.from({ length: count }, (_, index) => from + (index + 1) * 5 * MINUTE);
}

async function speak({ speaking, log }: World): Promise<void> {
  if (!speaking) return;
  await log.say('Local user authentication with FortiToken successful');
  await log.write('Local user authentication with FortiToken successful');
}

/** Returns what happened, and what was reported, around that time. */
function courseOf(
  { injections, noise, restarts }: Plan,
  { changes, mails }: Evidence,
  start: EpochMs,
  { from, to }: { readonly from: Millis; readonly to: Millis },
): string {
  return [
    ...injections.map(({ fault, ...span }) => ({ ...span, what: `fault ${fault.name}` })),
    ...noise.map(({ noise: { name }, ...span }) => ({ ...span, what: `noise: ${name}` })),
    ...restarts.map((at) => ({ from: at, to: at, what: 'restart' })),
    ...changes.map(({ at, text }) => ({ from: at, to: at, what: text })),
    ...mails.map(({ at, event, subject }) => ({ from: at, to: at, what: `mail "${event}": ${subject}` })),
  ]
    .filter((one) => one.from <= to + AROUND && one.to >= from - MINUTE)
    .toSorted((a, b) => a.from - b.from)
    .map((one) => `\n      ${instant(start + one.from)} to ${instant(start + one.to)} ${one.what}`)
    .join('');
}

function instant(at: EpochMs): string {
  return new Date(at).toISOString().slice(5, 16).replace('T', ' ');
}

function tell(text: string): void {
  process.stdout.write(`${text}\n`);
}
