import type { ConnectorContext } from '../network/rest/context.ts';
import type { SlowFactsBySource } from '../sources/registry.ts';
import { withMail } from '../runtime/round/assess-round.ts';
import type { Config } from '../config/config.ts';
import type { Needs } from '../config/named.ts';
import { authority } from '../core/authority.ts';
import type { Clock, Millis } from '../core/clock.ts';
import type { MailObservation } from '../core/observation.ts';
import type { Assessment } from '../engine/assessment.ts';
import type { Cause } from '../engine/cause.ts';
import type { Finding } from '../engine/finding.ts';
import { withMore } from '../engine/words/claim.ts';
import type { RoundResult } from '../report/round-result.ts';
import type { RoundProgress } from '../runtime/round/observe-round.ts';
import { createProbeKit, type RoundWishes } from '../runtime/round/probe-kit.ts';
import { invalidWhenStalled } from '../checks/invalid-round.ts';
import type { MailPace } from '../sources/mail/source.ts';
import { codeLifeOf, mailServersOf, type MailServer } from '../sources/mail/mail-servers.ts';
import { askEach, configuredSources, unseenPicture } from '../runtime/slow-sources.ts';
import { conclude, type LogPart } from '../runtime/conclude.ts';
import { stateFile } from '../runtime/state-files.ts';
import { loadFirmwareFacts } from '../sources/appliances/firmware-facts.ts';
import { createPendingMemory } from '../sources/appliances/pending-tokens.ts';
import { deadline } from '../system/clock.ts';
import { jsonFile } from '../system/json-file.ts';
import { oneATurn } from '../system/next-turn.ts';
import { createProgressLine, type ProgressLine } from './progress.ts';
import type { Terminal } from './terminal.ts';
import { unconfirmedIn, untilSettled } from './until-settled.ts';

export interface ExaminationOptions extends Pick<Terminal, 'clock' | 'env' | 'signal' | 'progress'> {
  readonly config: Config;
  /** What is known of the log, which cannot be asked. */
  readonly log: LogPart;
  /** What is not seen by then is unknown. @default for as long as it takes */
  readonly limit?: Millis;
}

/** What an examination reads of the configuration's files and variables: not what serves the page or sends messages. */
export const neededToExamine: Needs = (key) => !/^(?:web|notify|logs\.syslog)\./u.test(key);

/** One round, and what was asked beside the probes. */
export interface Examination extends RoundResult {
  readonly picture: SlowFactsBySource;
  /** What was still waited for when the time was over. */
  readonly waitingFor: readonly string[];
}

/** A server that lets strangers wait before it greets (postscreen) does so for 6 s. */
const MAIL_LIMIT: Millis = 8_000;

/** A unit that says nothing is known as that before the time is over. */
const ANSWER_LIMIT: Millis = 8_000;

/**
 * One round of everything that can be asked at once, without a daemon; and further rounds of what the probes look at,
 * until what is critical was seen in several of them in a row, or the time is over.
 * @throws {Error} when a file that the configuration names cannot be used
 */
export async function examine(options: ExaminationOptions): Promise<Examination> {
  const { config, clock, env, limit: longest } = options;
  using limit = longest === undefined ? null : deadline(clock, longest, options.signal);
  const signal = limit?.signal ?? options.signal;
  const kit = await createProbeKit(config, { clock, env, ...(limit === null ? {} : { mailLimit: MAIL_LIMIT }) });
  const progress = createProgressLine(options.progress);
  const mail = createMailPace(clock, signal);
  const waitingFor: string[] = [];
  const onAbort = (): void => {
    if (limit?.expired() === true) waitingFor.push(...progress.waitingFor(), ...mail.waitingFor());
  };
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    const answerLimit = limit === null ? {} : { answerLimit: ANSWER_LIMIT };
    const picture = askSlowSources({ ...options, ...answerLimit, signal }, progress);
    const wishes = { ...wishesFor(config, picture), onProgress: (step: RoundProgress): void => progress.show(step) };
    const started = clock.elapsed();
    const timely = (): RoundWishes =>
      longest === undefined
        ? wishes
        : { ...wishes, mailPace: mail.pace, timeLeft: longest - (clock.elapsed() - started) };
    const looks: Seen[] = [];
    const look = async (): Promise<Seen> => {
      progress.look();
      const [observations, seen] = await Promise.all([kit.observe(signal, timely()), picture.whole]);
      const result = concluded({ observations, judged: kit.assess(observations), picture: seen }, options);
      looks.unshift(result);
      return result;
    };
    const settled = await untilSettled(look, { kit, clock, signal });
    const late = [...(await mail.late()), ...looks.flatMap(({ observations }) => observations.mail)];
    const open = signal.aborted ? unconfirmedIn(settled, looks) : [];
    const isWhole = open.length === 0 && !settled.observations.mail.some(isOpen);
    return {
      ...(isWhole ? settled : concluded(completed(settled, late, open, config), options)),
      waitingFor: [...new Set(waitingFor)],
    };
  } finally {
    signal.removeEventListener('abort', onAbort);
    progress.clear();
  }
}

type Seen = Omit<Examination, 'waitingFor'>;

function wishesFor(config: Config, { appliances }: Pictures): Omit<RoundWishes, 'onProgress' | 'mailPace'> {
  return {
    mailServers:
      config.mail.length > 0
        ? Promise.resolve(config.mail)
        : appliances.then((seen) => mailServersOf(config, seen.appliances)),
    codeLife: appliances.then((seen) => codeLifeOf(seen.appliances)),
    isComplained: false,
    complainedAt: null,
  };
}

function concluded(seen: Omit<Seen, 'diagnosis'>, { config, log }: ExaminationOptions): Seen {
  const { observations, judged, picture } = seen;
  const probed = invalidWhenStalled(judged.assessments, observations);
  const round = { config, at: observations.startedAt, probed, picture, ownClock: judged.ownClock ?? null };
  return { ...seen, diagnosis: conclude(round, log).diagnosis };
}

/** With the mail servers that answered later, and without what one look alone has shown. */
function completed(
  { observations, judged, picture }: Seen,
  late: readonly MailObservation[],
  unconfirmed: readonly Cause[],
  config: Config,
): Omit<Seen, 'diagnosis'> {
  const answered = new Map(late.filter((seen) => !isOpen(seen)).map((seen) => [seen.server, seen]));
  const mail = observations.mail.map((seen) => (isOpen(seen) ? (answered.get(seen.server) ?? seen) : seen));
  const round = { ...observations, mail };
  const { assessments, ...others } = withMail(judged, config, round);
  const open = new Set(unconfirmed.map(({ precondition }) => precondition));
  return {
    observations: round,
    picture,
    judged: { ...others, assessments: assessments.map((own) => (open.has(own.id) ? seenOnce(own) : own)) },
  };
}

/** It had not answered when its look ended. */
function isOpen({ outcome }: MailObservation): boolean {
  return outcome.kind === 'failed' && outcome.reason === 'aborted';
}

const SEEN_ONCE = 'seen once, and the time was over';

function seenOnce(own: Assessment): Assessment {
  const findings = own.findings.map((finding): Finding => {
    if (finding.level !== 'broken') return finding;
    const claim = withMore(finding.claim, '; ', SEEN_ONCE);
    return { ...finding, level: 'unknown', suggests: null, claim, actual: `${finding.actual}; ${SEEN_ONCE}` };
  });
  return { ...own, findings };
}

interface PacedMail {
  readonly pace: MailPace;
  /** What those that a look did not wait for answer in the end. */
  late(): Promise<readonly MailObservation[]>;
  waitingFor(): readonly string[];
}

/** As long as a silent handshake: a look that meets one takes no longer for the sake of mail. */
const MAIL_PATIENCE: Millis = 4_000;

/** A mail server that lets everybody wait holds up no look: the next one, or the end, has what it answers. */
function createMailPace(clock: Clock, signal: AbortSignal): PacedMail {
  const pending = new Map<string, Promise<MailObservation>>();
  return {
    pace: async (server, rehearse) => {
      const name = authority(server);
      const own = pending.get(name) ?? rehearse(signal);
      pending.set(name, own);
      const seen = await within(own, MAIL_PATIENCE, clock);
      if (seen === null) return notYet(server);
      pending.delete(name);
      return seen;
    },
    late: () => Promise.all(pending.values()),
    waitingFor: () => [...pending.keys()],
  };
}

/** Null: not in time. */
function within<T>(answer: Promise<T>, time: Millis, clock: Clock): Promise<T | null> {
  return new Promise((resolve, reject) => {
    const cancel = clock.after(time, () => resolve(null));
    answer.finally(cancel).then(resolve, reject);
  });
}

function notYet(server: MailServer): MailObservation {
  return {
    server: authority(server),
    security: server.security,
    required: server.required,
    patience: server.timeout,
    outcome: {
      kind: 'failed',
      reason: 'aborted',
      message: 'It has not answered yet',
      durationMs: MAIL_PATIENCE,
      stage: 'connect',
      code: null,
      tlsError: null,
    },
    certificateNotAfter: null,
    recipientServers: [],
  };
}

interface Pictures {
  /** With what is on the schedule of the appliances. */
  readonly appliances: Promise<SlowFactsBySource>;
  readonly whole: Promise<SlowFactsBySource>;
}

function askSlowSources(
  { config, clock, env, signal, answerLimit }: ExaminationOptions & Pick<ConnectorContext, 'answerLimit'>,
  progress: ProgressLine,
): Pictures {
  // The registration service counts calls: the daemon and this command keep one account.
  const budget = jsonFile(stateFile(config, 'registration-budget.json'));
  // What one look sees pending, is seen first by the daemon, which looks all the time.
  const pendingFile = jsonFile(stateFile(config, 'pending-tokens.json'));
  const seenByDaemon = createPendingMemory({ ...pendingFile, save: () => undefined });
  const ownTurn = oneATurn();
  const facts = config.appliances.length === 0 ? Promise.resolve([]) : loadFirmwareFacts();
  const ask = async (runs: 'appliance' | 'registration', known: SlowFactsBySource): Promise<SlowFactsBySource> => {
    const paced = { clock, env, signal, ...(answerLimit === undefined ? {} : { answerLimit }) };
    const tools = { ...known, ...paced, budget, pendingTokens: seenByDaemon, firmwareFacts: await facts, ownTurn };
    const asked = configuredSources(config)
      .filter((source) => source.runs === runs)
      .map(async (source) => {
        progress.show({ subject: source.id, kind: 'started' });
        const seen = await askEach([source], config, tools);
        progress.show({ subject: source.id, kind: 'finished' });
        return seen;
      });
    return (await Promise.all(asked)).reduce<SlowFactsBySource>((all, facts) => ({ ...all, ...facts }), known);
  };
  const appliances = ask('appliance', unseenPicture(config));
  return { appliances, whole: appliances.then((known) => ask('registration', known)) };
}
