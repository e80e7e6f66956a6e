import type { ConnectorContext } from '../network/rest/json-exchange.ts';
import { applianceSystems } from '../connectors/appliances.ts';
import { firewallSystems } from '../connectors/firewall.ts';
import { peerSystems } from '../connectors/peers.ts';
import { askSystems, type ConnectorId, type ConnectedSystem, type Picture } from '../connectors/picture.ts';
import { registrationSystems } from '../connectors/registration.ts';
import { type RoundObservations, isInvalid } from '../core/round.ts';
import { factsOf, needsAnotherRound } from '../round/facts.ts';
import type { Config } from '../config/config.ts';
import type { Needs } from '../config/load.ts';
import { authority } from '../core/addresses.ts';
import type { Clock, Millis } from '../core/clock.ts';
import type { MailObservation, TlsOutcome } from '../core/observation.ts';
import type { Cause } from '../engine/model.ts';
import type { RoundResult } from '../checks/round-result.ts';
import { observeRound, type RoundProgress, type RoundParameters } from '../round/round.ts';
import { createInstruments } from '../round/instruments.ts';
import type { RoundFacts } from '../checks/check.ts';
import { withOutside } from '../checks/round-facts.ts';
import { outsideWishes } from '../checks/stages.ts';
import { OUTSIDE_KINDS, type OutsideKind, type OutsideView } from '../core/outside.ts';
import { ownClockOf } from '../checks/clock/judge.ts';
import { checksOf } from '../checks/registry.ts';
import type { MailServer } from '../config/schema/watched.ts';
import { codeLifeOf, type MailPace, mailServersOf } from '../round/mail.ts';
import { MAIL_ROOTS_FILE } from '../round/mail-roots.ts';
import { createPendingMemory } from '../connectors/token-counts.ts';
import { lookOutside, OUTSIDE_FILE } from '../runtime/outside-witness.ts';
import { registrationFile, stateFile } from '../runtime/store-places.ts';
import { conclude, type LogPart } from '../checks/conclude.ts';
import { loadFirmwareFacts } from '../connectors/firmware-facts.ts';
import { deadline, oneATurn, within } from '../system/clock.ts';
import { periodOf } from '../system/cron-timer.ts';
import { jsonFile } from '../system/json-file.ts';
import { readSecret } from '../system/secret.ts';
import { createProgressLine, type ProgressLine, type Terminal } from './terminal.ts';
import { isCorroborated } from '../engine/diagnose.ts';

interface ExaminationOptions extends Pick<Terminal, 'clock' | 'env' | 'signal' | 'progress'> {
  readonly config: Config;
  /** Provided by the caller, because log lines cannot be requested on demand. */
  readonly log: LogPart;
  /** Checks that have not finished within this time are reported as unknown. @default no limit */
  readonly limit?: Millis;
  /** Asks other networks about the licence server, if this is configured. @default `never` */
  readonly outside?: 'always' | 'if suspected' | 'never';
}

/** Every setting except those for the status page, notifications and the syslog receiver. */
export const neededToExamine: Needs = (key) => !/^(?:web|notify|logs\.syslog)\./u.test(key);

export interface Examination extends RoundResult {
  readonly picture: Picture;
  readonly waitingFor: readonly string[];
  /** What other networks could settle. */
  readonly wishes: readonly OutsideKind[];
}

/** Postscreen delays its greeting to unknown clients by 6 s. */
const MAIL_LIMIT: Millis = 8_000;

/** Short enough to detect an unresponsive unit before the overall time limit expires. */
const ANSWER_LIMIT: Millis = 8_000;

/**
 * Repeats the round until every critical cause has been seen in several consecutive rounds or the time limit expires.
 * @throws {Error} if a configured file cannot be used
 */
export async function examine(options: ExaminationOptions): Promise<Examination> {
  const { config, clock, env, limit: longest } = options;
  using limit = longest === undefined ? null : deadline(clock, longest, options.signal);
  const signal = limit?.signal ?? options.signal;
  const mailLimit = limit === null ? {} : { mailLimit: MAIL_LIMIT };
  // This command does not save roots, so that the daemon still reports a new root.
  const mailRootsFile = { ...jsonFile(stateFile(config, MAIL_ROOTS_FILE)), save: () => undefined };
  const instruments = await createInstruments(config, { clock, env, mailRootsFile, ...mailLimit });
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
    const parameters = {
      ...wishesFor(config, picture),
      onProgress: (step: RoundProgress): void => progress.show(step),
    };
    const started = clock.elapsed();
    const timely = (): RoundParameters =>
      longest === undefined
        ? parameters
        : { ...parameters, mailPace: mail.pace, timeLeft: longest - (clock.elapsed() - started) };
    const elsewhere = options.outside === 'always' ? askOutside(OUTSIDE_KINDS, options, progress) : null;
    // Its error is thrown when it is awaited, after the rounds.
    elsewhere?.catch(() => undefined);
    const rounds: ExaminedRound[] = [];
    const runRound = async (): Promise<ExaminedRound> => {
      progress.startRound();
      const [observations, seen] = await Promise.all([observeRound(instruments, timely(), signal), picture.whole]);
      const result = concluded({ observations, facts: factsOf(instruments, observations), picture: seen }, options);
      rounds.unshift(result);
      return result;
    };
    const settled = await untilSettled(runRound, {
      clock,
      signal,
      needsAnotherRound: () => needsAnotherRound(instruments),
    });
    const late = [...(await mail.late()), ...rounds.flatMap(({ observations }) => observations.mail)];
    const unconfirmed = signal.aborted ? unconfirmedIn(settled, rounds) : [];
    const isWhole = unconfirmed.length === 0 && !settled.observations.mail.some(isUnanswered);
    const result = isWhole ? settled : concluded(completed(settled, late), options, unconfirmed);
    const wishes = outsideWishes(result.facts);
    const asked = options.outside === 'if suspected' && config.outside !== null ? wishes : [];
    const view = await (elsewhere ?? askOutside(asked, options, progress));
    return {
      ...(view === null
        ? result
        : concluded({ ...result, facts: withOutside(result.facts, view) }, options, unconfirmed)),
      waitingFor: [...new Set(waitingFor)],
      wishes,
    };
  } finally {
    signal.removeEventListener('abort', onAbort);
    progress.clear();
  }
}

/** Resolves to null if other networks are not asked. Is not subject to the time limit of the checks. */
async function askOutside(
  kinds: readonly OutsideKind[],
  { config, ...options }: ExaminationOptions,
  progress: ProgressLine,
): Promise<OutsideView | null> {
  if (kinds.length === 0) return null;
  const subject = 'other networks';
  progress.show({ subject, kind: 'started' });
  const view = await askedOutside(config, options, kinds);
  progress.show({ subject, kind: 'finished' });
  return view;
}

/** @throws {Error} if the configuration has no section `outside` */
export async function askedOutside(
  config: Config,
  { clock, env, signal }: Pick<Terminal, 'clock' | 'env' | 'signal'>,
  kinds: readonly OutsideKind[],
): Promise<OutsideView> {
  if (config.outside === null)
    throw new Error(
      'Cannot ask other networks: expected the section "outside" in the configuration, such as ' +
        '"outside: {globalping: {}}"',
    );
  return lookOutside(kinds, config.outside.globalping, config.licenseServer, {
    clock,
    env,
    signal,
    proxy: config.notify.proxy,
    readSecret: (source) => readSecret(source, env),
    ownTurn: oneATurn(),
    file: jsonFile(stateFile(config, OUTSIDE_FILE)),
  });
}

interface ExaminedRound extends Omit<Examination, 'waitingFor' | 'wishes'> {
  readonly facts: RoundFacts;
}

function wishesFor(config: Config, { appliances }: Pictures): Omit<RoundParameters, 'onProgress' | 'mailPace'> {
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

function concluded(
  seen: Omit<ExaminedRound, 'diagnosis' | 'targets'>,
  { config, log }: ExaminationOptions,
  unconfirmed: readonly Cause[] = [],
): ExaminedRound {
  const { facts, picture } = seen;
  const open = unconfirmed.map(({ precondition }) => precondition);
  const known = { config, round: facts, picture, ownClock: ownClockOf(facts), unconfirmed: open };
  return { ...seen, targets: facts.targets, diagnosis: conclude(known, log).diagnosis };
}

/** Adds results from mail servers that answered late. */
function completed(
  { observations, facts, picture }: ExaminedRound,
  late: readonly MailObservation[],
): Omit<ExaminedRound, 'diagnosis' | 'targets'> {
  const answered = new Map(late.filter((seen) => !isUnanswered(seen)).map((seen) => [seen.server, seen]));
  const mail = observations.mail.map((seen) => (isUnanswered(seen) ? (answered.get(seen.server) ?? seen) : seen));
  return {
    observations: { ...observations, mail },
    facts: { ...facts, observations: { ...facts.observations, mail } },
    picture,
  };
}

function isUnanswered({ outcome }: MailObservation): boolean {
  return outcome.kind === 'failed' && outcome.reason === 'aborted';
}

interface PacedMail {
  readonly pace: MailPace;
  /** Results that arrived after the round had ended. */
  late(): Promise<readonly MailObservation[]>;
  waitingFor(): readonly string[];
}

/**
 * Equal to the longest time that a TLS handshake can take, so that mail servers do not extend a round in which a
 * handshake times out.
 */
const MAIL_PATIENCE: Millis = 4_000;

/** If a server is slow, its answer is used in the next round or after the last round. */
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
      message: 'The server has not answered yet',
      durationMs: MAIL_PATIENCE,
      stage: 'connect',
      code: null,
      tlsError: null,
    },
    certificateNotAfter: null,
  };
}

interface Pictures {
  /** The results of all queries that the daemon makes at the appliances' polling interval. */
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
  const askAll = async <Fact>(id: ConnectorId, systems: readonly ConnectedSystem<Fact>[]): Promise<readonly Fact[]> =>
    systems.length === 0 ? [] : asked(id, () => askSystems(systems, paced));
  const appliances = askSlowly();
  return { appliances, whole: appliances.then(withRegistration) };

  async function askSlowly(): Promise<Picture> {
    // This command does not save pending tokens. The daemon checks continuously and therefore detects these tokens
    // first.
    const pendingFile = jsonFile(stateFile(config, 'pending-tokens.json'));
    const pendingTokens = createPendingMemory({ ...pendingFile, save: () => undefined });
    const firmwareFacts = config.appliances.length === 0 ? [] : await loadFirmwareFacts(config.firmwareFactFiles);
    const [units, firewall, peers] = await Promise.all([
      askAll('appliances', applianceSystems(config, { pendingTokens, firmwareFacts })),
      askAll('firewall', firewallSystems(config)),
      askAll('peers', peerSystems(config)),
    ]);
    return { appliances: units, registration: null, firewall, peers };
  }

  async function withRegistration(known: Picture): Promise<Picture> {
    // Calculating the period loads the data of time zones, which takes a tenth of the CPU time of `check`.
    if (config.registration === null) return { ...known, registration: null };
    // The service limits the number of calls, so this command and the daemon share one file.
    const systems = registrationSystems(config, {
      file: registrationFile(config),
      units: () => known.appliances,
      isFresh: () => false,
      period: periodOf(config.schedule.registration),
    });
    const [registration = null] = await askAll('registration', systems);
    return { ...known, registration };
  }
}

/** Four rounds are enough for a one-off problem to disappear and for a new problem to be seen twice. */
const MOST_ROUNDS = 4;
/**
 * After this time, no third or fourth round is started. A round takes up to 14.5 s, and the whole command should take
 * no more than 30 s.
 */
const LATEST_START: Millis = 15_000;
/** The number of rounds in which a critical cause must be seen. */
const ROUNDS_NEEDED = 2;
/**
 * On a path that loses 20 % of the packets in each direction, one round in ten receives no DNS answer at all.
 * Connections don't need a third round, because the second round makes many connections.
 */
const SILENT_ROUNDS_NEEDED = 3;

const MANY_TARGETS = 3;

interface SettlingTools {
  /** An immediate second round can provide more details about a failed connection. */
  readonly needsAnotherRound: () => boolean;
  readonly clock: Pick<Clock, 'elapsed'>;
  readonly signal: AbortSignal;
}

/**
 * A single lost packet is not a fault. If the signal is aborted, the current round is discarded and the previous
 * round's result is returned.
 */
export async function untilSettled<Result extends RoundResult>(
  runRound: () => Promise<Result>,
  { clock, signal, needsAnotherRound: wantsMore }: SettlingTools,
): Promise<Result> {
  const started = clock.elapsed();
  const isTime = (): boolean => clock.elapsed() - started <= LATEST_START;
  let last = await runRound();
  const rounds = [last];
  while (rounds.length < MOST_ROUNDS && !signal.aborted && (wantsMore() || !isSettled(rounds))) {
    if (rounds.length >= ROUNDS_NEEDED && !isTime()) break;
    last = await runRound();
    rounds.unshift(last);
  }
  const [, before] = rounds;
  return lastShownTwice(rounds) ?? (signal.aborted ? before : undefined) ?? last;
}

/** Critical causes based on missing answers, if there was no time for another round to rule out packet loss. */
export function unconfirmedIn(result: RoundResult, rounds: readonly RoundResult[]): readonly Cause[] {
  return criticalOf(result).filter(
    (cause) =>
      !isCorroborated(result.diagnosis, cause) &&
      isSilence(cause, result.observations) &&
      rounds.filter(shows(cause)).length < neededFor(cause, result.observations),
  );
}

/** Excludes mail servers, because the wait is long enough for lost packets to be retransmitted many times. */
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
      // If the same ClientHello was sent again in this round and also went unanswered, packet loss is ruled out.
      return endpoints.some(({ tls }) => isTimeout(tls)) && !isSilentAgain(closer?.again ?? null);
    case 'license-server':
      return endpoints.some(({ http }) => isTimeout(http));
    default:
      return false;
  }
}

/** Returns whether the second connection attempt went unanswered for longer than a retransmission takes. */
function isSilentAgain(again: TlsOutcome | null): boolean {
  if (again?.kind !== 'failed') return false;
  return again.reason === 'timeout' || (again.reason === 'aborted' && again.durationMs >= REPEATED);
}

/** TCP retransmits after one second and again two seconds later (RFC 6298). */
const REPEATED: Millis = 1_000;

function isTimeout(outcome: { readonly kind: string } | null): boolean {
  return outcome !== null && 'reason' in outcome && outcome.reason === 'timeout';
}

/** Used if the latest round has no verdict, for example because earlier lookups are still pending. */
function lastShownTwice<Result extends RoundResult>(rounds: readonly Result[]): Result | null {
  if (rounds[0]?.diagnosis.ready !== 'unknown') return null;
  const shown = rounds.find((round) => criticalOf(round).length > 0);
  const isTwice = (cause: Cause): boolean => rounds.filter(shows(cause)).length >= ROUNDS_NEEDED;
  return shown !== undefined && criticalOf(shown).some(isTwice) ? shown : null;
}

function criticalOf({ diagnosis }: RoundResult): readonly Cause[] {
  return diagnosis.causes.filter(({ severity }) => severity === 'critical');
}

function shows(cause: Cause): (round: RoundResult) => boolean {
  return ({ diagnosis }) => diagnosis.causes.some(isSame(cause));
}

/** The rounds are ordered latest first. */
function isSettled(rounds: readonly RoundResult[]): boolean {
  const [last, before] = rounds;
  if (last === undefined) return false;
  if (isInvalid(last.observations)) return before !== undefined && isInvalid(before.observations);
  // The latest round could neither confirm nor rule out the cause that the previous round found.
  if (last.diagnosis.ready === 'unknown' && before !== undefined && criticalOf(before).length > 0) return false;
  const probed = checksOf('round');
  return last.diagnosis.causes
    .filter(({ severity, precondition }) => severity === 'critical' && probed.includes(precondition))
    .every((cause) => {
      const needed = isCorroborated(last.diagnosis, cause) ? 1 : neededFor(cause, last.observations);
      return rounds.length >= needed && rounds.slice(0, needed).every(shows(cause));
    });
}

/** A single round is enough if many targets fail, because packet loss rarely affects many targets at once. */
function neededFor({ id }: Cause, { path, controls }: RoundObservations): number {
  const paths = [path.licenseServer, ...path.services, ...controls];
  if (id === 'internet-unreachable') {
    return [...paths.flatMap(({ endpoints }) => endpoints), ...path.knownAddresses].length >= MANY_TARGETS
      ? 1
      : ROUNDS_NEEDED;
  }
  if (id !== 'resolver-unreachable') return ROUNDS_NEEDED;
  // While two slow lookups are pending, a third name is not queried. The lack of an answer for that name therefore does
  // not indicate a resolver fault.
  const asked = paths.flatMap(({ names }) => names).filter(({ a }) => a.kind === 'answer' || a.reason !== 'internal');
  const isSilent = asked.every(({ a, aaaa }) => a.kind === 'failed' && aaaa.kind === 'failed');
  if (!isSilent || new Set(asked.map(({ name }) => name)).size < MANY_TARGETS) return SILENT_ROUNDS_NEEDED;
  // The system resolver may have been queried only in an earlier round in which all answers were lost.
  return asked.some(({ resolver }) => resolver === 'system') ? ROUNDS_NEEDED : 1;
}

function isSame({ id, subject }: Cause): (other: Cause) => boolean {
  return (other) => other.id === id && other.subject === subject;
}
