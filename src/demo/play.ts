import type { Clock, Millis } from '../core/clock.ts';
import type { DiagnosisJson } from '../checks/diagnosis-json.ts';
import type { Cause } from '../engine/model.ts';
import { deadline, sleep } from '../system/clock.ts';
import type { Daemon } from './daemon.ts';
import type { Lab } from './lab/lab.ts';
import type { LabMail } from './lab/mail-host.ts';
import type { Narrator } from './narrator.ts';
import type { Scenario } from './scenarios.ts';

export interface Stage {
  readonly lab: Lab;
  readonly daemon: Daemon;
  readonly narrator: Narrator;
  readonly clock: Clock;
  /** Aborts the play. */
  readonly signal: AbortSignal;
  /** Lets people read along. */
  readonly pause: Millis;
}

/** Time limit for each step of the story. A step that takes longer has failed. */
const LIMIT: Millis = 45_000;
const MOST_EVIDENCE = 2;
const MOST_STEPS = 2;

/**
 * Plays one fault from its beginning to the all-clear. Resolves with whether it was found, named and reported, and
 * whether the site recovered.
 */
export async function play(scenario: Scenario, stage: Stage): Promise<boolean> {
  const { narrator, lab, signal } = stage;
  const mailsBefore = lab.inbox.mails.length;
  const mail: MailOf = (event, limit) =>
    lab.inbox.mail(
      (one) => lab.inbox.mails.indexOf(one) >= mailsBefore && one.event === event && one.cause === scenario.cause,
      limit,
    );
  try {
    await breakIt(scenario, stage, mail);
    await mendIt(scenario, stage, mail);
    return true;
  } catch (error) {
    if (signal.aborted) throw error;
    narrator.bad(`This did not come: ${error instanceof Error ? error.message : String(error)}`);
    await scenario.end(lab);
    return false;
  }
}

type MailOf = (event: LabMail['event'], limit: AbortSignal) => Promise<LabMail>;

async function breakIt(
  scenario: Scenario,
  { lab, daemon, narrator, clock, signal, pause }: Stage,
  mail: MailOf,
): Promise<void> {
  const watch = stopwatch(clock);
  using limit = deadline(clock, LIMIT, signal);
  narrator.act(`Broken: ${scenario.fault}`);
  await scenario.begin(lab);
  const found = daemon.diagnosis(({ causes }) => causes.some(({ id }) => id === scenario.cause), limit.signal);
  const [diagnosis] = await Promise.all([found, ask(scenario, lab, narrator)]);
  tellDiagnosis(diagnosis, scenario, narrator, watch());
  const { subject, to } = await mail('firing', limit.signal);
  narrator.seen(`ftm-watch has mailed ${to.join(', ')} after ${watch()}.`);
  narrator.detail('subject', subject);
  if (pause > 0) await sleep(clock, pause, signal);
}

async function mendIt(
  scenario: Scenario,
  { lab, daemon, narrator, clock, signal, pause }: Stage,
  mail: MailOf,
): Promise<void> {
  const watch = stopwatch(clock);
  using limit = deadline(clock, LIMIT, signal);
  narrator.act(`Repaired: ${scenario.repair}`);
  await scenario.end(lab);
  const recovered = daemon.diagnosis(({ ready, causes }) => ready === 'ready' && causes.length === 0, limit.signal);
  await Promise.all([recovered, ask(scenario, lab, narrator)]);
  narrator.good(`ftm-watch reports the recovery after ${watch()}: every check passes again.`);
  const { subject } = await mail('resolved', limit.signal);
  narrator.seen(`ftm-watch has mailed the all-clear after ${watch()}.`);
  narrator.detail('subject', subject);
  if (pause > 0) await sleep(clock, pause, signal);
}

async function ask({ isNoticed }: Scenario, lab: Lab, narrator: Narrator): Promise<void> {
  if (!isNoticed) return;
  const complaint = await lab.applianceLog.poll();
  if (complaint === null) narrator.seen('FortiAuthenticator polls the licence server, which answers.');
  else narrator.seen(`FortiAuthenticator cannot poll the licence server, and logs "${complaint}".`);
}

function tellDiagnosis({ causes }: DiagnosisJson, scenario: Scenario, narrator: Narrator, after: string): void {
  for (const cause of causes.filter(({ id }) => id === scenario.cause)) tellCause(cause, narrator, after);
}

function tellCause(
  { id, confidence, summary, impact, evidence, remedy }: Cause,
  narrator: Narrator,
  after: string,
): void {
  narrator.bad(`ftm-watch reports after ${after}: ${summary}`);
  narrator.detail('cause', `${id} (${confidence})`);
  narrator.detail('impact', impact);
  for (const line of evidence.slice(0, MOST_EVIDENCE)) narrator.detail('evidence', line);
  for (const step of remedy.slice(0, MOST_STEPS)) narrator.detail('remedy', step);
}

function stopwatch(clock: Clock): () => string {
  const started = clock.elapsed();
  return () => `${((clock.elapsed() - started) / 1000).toFixed(1)} s`;
}
