import type { ConnectorContext } from '../network/rest/json-exchange.ts';
import { applianceUnits } from '../connectors/appliances.ts';
import { firewallUnits } from '../connectors/firewall.ts';
import { peerUnits } from '../connectors/peers.ts';
import { askUnits, type ConnectorId, type Picture, type Unit } from '../connectors/picture.ts';
import { observeRegistration, registrationQuery } from '../connectors/registration.ts';
import { type RoundObservations, isInvalid } from '../core/round.ts';
import { assessRound, needsCloserLook, withMail } from '../round/assess.ts';
import type { Config } from '../config/config.ts';
import type { Needs } from '../config/config-file.ts';
import { authority } from '../core/addresses.ts';
import type { Clock, Millis } from '../core/clock.ts';
import type { MailObservation, TlsOutcome } from '../core/observation.ts';
import type { Assessment, Cause, Finding } from '../engine/model.ts';
import { withMoreSaid } from '../engine/words.ts';
import type { RoundResult } from '../report/report-contents.ts';
import { observeRound, type RoundProgress, type RoundWishes } from '../round/round.ts';
import { createInstruments } from '../round/instruments.ts';
import { invalidWhenStalled } from '../checks/assess.ts';
import type { MailServer } from '../config/schema/mail.ts';
import { codeLifeOf, type MailPace, mailServersOf } from '../round/mail.ts';
import { createPendingMemory } from '../connectors/token-counts.ts';
import { stateFile } from '../runtime/state-files.ts';
import { conclude, type LogPart } from '../runtime/conclude.ts';
import { loadFirmwareFacts } from '../connectors/firmware-facts.ts';
import { deadline, oneATurn, within } from '../system/clock.ts';
import { jsonFile } from '../system/json-file.ts';
import { createProgressLine, type ProgressLine, type Terminal } from './terminal.ts';
import { isCorroborated } from '../engine/diagnose.ts';

interface ExaminationOptions extends Pick<Terminal, 'clock' | 'env' | 'signal' | 'progress'> {
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
  readonly picture: Picture;
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
  const mailLimit = limit === null ? {} : { mailLimit: MAIL_LIMIT };
  const instruments = await createInstruments(config, { clock, env, ...mailLimit });
  const progress = createProgressLine(options.progress);
  const mail = createMailPace(clock, signal);
  const waitingFor: string[] = [];
  const onAbort = (): void => {
    if (limit?.expired() === true) waitingFor.push(...progress.waitingFor(), ...mail.waitingFor());
  };
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    const answerLimit = limit === null ? {} : { answerLimit: ANSWER_LIMIT };
    const picture = askConnectors({ ...options, ...answerLimit, signal }, progress);
    const wishes = { ...wishesFor(config, picture), onProgress: (step: RoundProgress): void => progress.show(step) };
    const started = clock.elapsed();
    const timely = (): RoundWishes =>
      longest === undefined
        ? wishes
        : { ...wishes, mailPace: mail.pace, timeLeft: longest - (clock.elapsed() - started) };
    const looks: Seen[] = [];
    const look = async (): Promise<Seen> => {
      progress.look();
      const [observations, seen] = await Promise.all([observeRound(instruments, timely(), signal), picture.whole]);
      const result = concluded(
        { observations, judged: assessRound(instruments, observations), picture: seen },
        options,
      );
      looks.unshift(result);
      return result;
    };
    const settled = await untilSettled(look, { clock, signal, needsCloserLook: () => needsCloserLook(instruments) });
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
    return { ...withMoreSaid(finding, '; ', SEEN_ONCE), level: 'unknown', suggests: null };
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
  readonly appliances: Promise<Picture>;
  readonly whole: Promise<Picture>;
}

function askConnectors(
  { config, clock, env, signal, answerLimit }: ExaminationOptions & Pick<ConnectorContext, 'answerLimit'>,
  progress: ProgressLine,
): Pictures {
  const paced = { clock, env, signal, ...(answerLimit === undefined ? {} : { answerLimit }), ownTurn: oneATurn() };
  const asked = async <T>(subject: ConnectorId, ask: () => Promise<T>): Promise<T> => {
    progress.show({ subject, kind: 'started' });
    const seen = await ask();
    progress.show({ subject, kind: 'finished' });
    return seen;
  };
  const askAll = async <Fact>(id: ConnectorId, units: readonly Unit<Fact>[]): Promise<readonly Fact[]> =>
    units.length === 0 ? [] : asked(id, () => askUnits(units, paced));
  const { registration } = config;
  const appliances = askSlowly();
  return { appliances, whole: appliances.then(withRegistration) };

  /** What is on the schedule of the appliances. */
  async function askSlowly(): Promise<Picture> {
    // What one look sees pending, is seen first by the daemon, which looks all the time.
    const pendingFile = jsonFile(stateFile(config, 'pending-tokens.json'));
    const pendingTokens = createPendingMemory({ ...pendingFile, save: () => undefined });
    const firmwareFacts = config.appliances.length === 0 ? [] : await loadFirmwareFacts();
    const [units, firewall, peers] = await Promise.all([
      askAll('appliances', applianceUnits(config, { pendingTokens, firmwareFacts })),
      askAll(
        'firewall',
        firewallUnits(config, () => []),
      ),
      askAll('peers', peerUnits(config)),
    ]);
    return { appliances: units, registration: null, firewall, peers };
  }

  async function withRegistration(known: Picture): Promise<Picture> {
    if (registration === null) return known;
    // The registration service counts calls: the daemon and this command keep one account.
    const budget = jsonFile(stateFile(config, 'registration-budget.json'));
    const query = registrationQuery(known.appliances);
    return {
      ...known,
      registration: await asked('registration', () => observeRegistration(registration, query, budget, paced)),
    };
  }
}

/** Enough for what was there only once to be gone, and for what is new to be seen again. */
const MOST_LOOKS = 4;
/** A third or fourth look begins by then: a look takes 14.5 s at most, and nobody waits for longer than 30. */
const LAST_BEGIN: Millis = 15_000;
/** How many looks in a row must show what is critical. */
const IN_A_ROW = 2;
/**
 * A resolver that is silent: on a path that loses every fifth packet each way, one look of ten finds none of the
 * answers. Connections need no third look, since the second one makes many.
 */
const SILENT_IN_A_ROW = 3;

const BROAD = 3;

interface SettlingTools {
  /** Whether another look at once would tell more of a connection that failed. */
  readonly needsCloserLook: () => boolean;
  readonly clock: Pick<Clock, 'elapsed'>;
  readonly signal: AbortSignal;
}

/**
 * Looks again until what is critical was seen in several looks in a row: a single lost packet is no fault. A look that
 * is going on when the signal is aborted is given up, and the one before it counts.
 */
export async function untilSettled<Result extends RoundResult>(
  look: () => Promise<Result>,
  { clock, signal, needsCloserLook: wantsMore }: SettlingTools,
): Promise<Result> {
  const started = clock.elapsed();
  const isTime = (): boolean => clock.elapsed() - started <= LAST_BEGIN;
  let last = await look();
  const looks = [last];
  while (looks.length < MOST_LOOKS && !signal.aborted && (wantsMore() || !isSettled(looks))) {
    if (looks.length >= IN_A_ROW && !isTime()) break;
    last = await look();
    looks.unshift(last);
  }
  const [, before] = looks;
  return lastShownTwice(looks) ?? (signal.aborted ? before : undefined) ?? last;
}

/**
 * What is critical in the result, came of silence, and was seen in one look alone although several are needed: the time
 * did not suffice to tell it from lost packets. What somebody answered is made by no lost packet.
 */
export function unconfirmedIn(result: RoundResult, looks: readonly RoundResult[]): readonly Cause[] {
  const probed = new Set(result.judged.assessments.map(({ id }) => id));
  return criticalOf(result).filter(
    (cause) =>
      probed.has(cause.precondition) &&
      !isCorroborated(result.diagnosis, cause) &&
      neededFor(cause, result.observations) > 1 &&
      isSilence(cause, result.observations) &&
      looks.filter(shows(cause)).length < IN_A_ROW,
  );
}

/** A mail server is waited for so long that lost packets were repeated many times. */
function isSilence({ precondition }: Cause, { path: { licenseServer } }: RoundObservations): boolean {
  const { names, endpoints, closer } = licenseServer;
  switch (precondition) {
    case 'internet':
      return true;
    case 'name-resolution':
      return names.some(({ a, aaaa }) => [a, aaaa].some(isTimeout));
    case 'reachability':
      return endpoints.some(({ tcp }) => isTimeout(tcp));
    case 'tls-genuine':
      // The same hello was repeated in this look, to no avail.
      return endpoints.some(({ tls }) => isTimeout(tls)) && !isSilentAgain(closer?.again ?? null);
    case 'license-server':
      return endpoints.some(({ http }) => isTimeout(http));
    default:
      return false;
  }
}

/** Cut short by the end of the time, it was silent all the same for longer than it takes to repeat a lost packet. */
function isSilentAgain(again: TlsOutcome | null): boolean {
  if (again?.kind !== 'failed') return false;
  return again.reason === 'timeout' || (again.reason === 'aborted' && again.durationMs >= REPEATED);
}

/** RFC 6298: a lost packet is repeated after a second, and once more two seconds later. */
const REPEATED: Millis = 1_000;

function isTimeout(outcome: { readonly kind: string } | null): boolean {
  return outcome !== null && 'reason' in outcome && outcome.reason === 'timeout';
}

/**
 * What two looks showed is not taken back by a later one that could not judge, such as one whose names were not asked
 * for because the lookups of those before still wait for their answers.
 */
function lastShownTwice<Result extends RoundResult>(looks: readonly Result[]): Result | null {
  if (looks[0]?.diagnosis.ready !== 'unknown') return null;
  const shown = looks.find((look) => criticalOf(look).length > 0);
  const isTwice = (cause: Cause): boolean => looks.filter(shows(cause)).length >= IN_A_ROW;
  return shown !== undefined && criticalOf(shown).some(isTwice) ? shown : null;
}

function criticalOf({ diagnosis }: RoundResult): readonly Cause[] {
  return diagnosis.causes.filter(({ severity }) => severity === 'critical');
}

function shows(cause: Cause): (look: RoundResult) => boolean {
  return ({ diagnosis }) => diagnosis.causes.some(isSame(cause));
}

/** @param looks the latest first */
function isSettled(looks: readonly RoundResult[]): boolean {
  const [last, before] = looks;
  if (last === undefined) return false;
  if (isInvalid(last.observations)) return before !== undefined && isInvalid(before.observations);
  // It could not judge what the one before has shown.
  if (last.diagnosis.ready === 'unknown' && before !== undefined && criticalOf(before).length > 0) return false;
  const probed = new Set(last.judged.assessments.map(({ id }) => id));
  return last.diagnosis.causes
    .filter(({ severity, precondition }) => severity === 'critical' && probed.has(precondition))
    .every((cause) => {
      const needed = isCorroborated(last.diagnosis, cause) ? 1 : neededFor(cause, last.observations);
      return looks.length >= needed && looks.slice(0, needed).every(shows(cause));
    });
}

/** What so many things in one look show is made by no lost packet. */
function neededFor({ id }: Cause, { path, controls }: RoundObservations): number {
  const paths = [path.licenseServer, ...path.services, ...controls];
  if (id === 'internet-unreachable') {
    return [...paths.flatMap(({ endpoints }) => endpoints), ...path.knownAddresses].length >= BROAD ? 1 : IN_A_ROW;
  }
  if (id !== 'resolver-unreachable') return IN_A_ROW;
  // Behind two slow ones no third name is asked for: its silence is ours.
  const asked = paths.flatMap(({ names }) => names).filter(({ a }) => a.kind === 'answer' || a.reason !== 'internal');
  const isSilent = asked.every(({ a, aaaa }) => a.kind === 'failed' && aaaa.kind === 'failed');
  if (!isSilent || new Set(asked.map(({ name }) => name)).size < BROAD) return SILENT_IN_A_ROW;
  // It may have been asked for them in an earlier look, to which all answers were lost.
  return asked.some(({ resolver }) => resolver === 'system') ? IN_A_ROW : 1;
}

function isSame({ id, subject }: Cause): (other: Cause) => boolean {
  return (other) => other.id === id && other.subject === subject;
}
