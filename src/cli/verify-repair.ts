import { CHECKS, isFaultId } from '../checks/registry.ts';
import { repairVerdict, type RepairAnswer, type SilentWitness } from '../checks/repair-verdict.ts';
import type { Config } from '../config/config.ts';
import type { Millis } from '../core/clock.ts';
import { nameList } from '../core/phrases.ts';
import { visibleText } from '../core/visible-text.ts';
import { diagnosisToJson } from '../engine/diagnosis-json.ts';
import type { Incident } from '../engine/incident/incident.ts';
import { renderRepair } from '../report/report-text.ts';
import type { LogPart } from '../runtime/conclude.ts';
import { loadSignatures } from '../sources/log/signatures.ts';
import { readStoredIncident, type StoredIncident } from '../store/stored-history.ts';
import { deadline } from '../system/clock.ts';
import { messageOf } from '../text/message-of.ts';
import { type Examination, examine, neededToExamine } from './examine.ts';
import { EXIT_UNKNOWN } from './exit-codes.ts';
import { logPartOf } from './log-memory.ts';
import { readKept } from './run-report.ts';
import { loadOrExplain, type Invocation } from './terminal.ts';
import { CLOCK_SUBJECT } from '../checks/clock/judge.ts';
import { namesIn } from '../metrics/probe-series.ts';

export interface VerifyWish {
  /** Its id, as mails and `/incidents/ID` show it. */
  readonly incident: string;
  readonly json: boolean;
  /** What is not seen by then is unknown; null: for as long as it takes. */
  readonly timeout: Millis | null;
}

const EXIT: Readonly<Record<RepairAnswer, number>> = { 'in-force': 0, 'not-in-force': 2, 'not-visible': EXIT_UNKNOWN };

/** Named where another one was meant. */
const MOST_NAMED = 10;
const MAX_SHOWN = 200;

/** Looks once more, and says whether the repair of an incident is in force. Returns the exit code. */
export async function verifyRepair(wish: VerifyWish, terminal: Invocation): Promise<number> {
  const config = await loadOrExplain(terminal, neededToExamine);
  if (config === null) return EXIT_UNKNOWN;
  try {
    const incident = incidentIn(readStoredIncident(config.store.path, wish.incident, MOST_NAMED), wish, config);
    const heard = await heardBy(config, terminal);
    using limit = wish.timeout === null ? null : deadline(terminal.clock, wish.timeout, terminal.signal);
    const signal = limit?.signal ?? terminal.signal;
    const progress = wish.json ? null : terminal.progress;
    const seen = await examine({ ...terminal, signal, config, log: heard.log, progress });
    const { diagnosis, picture, observations } = seen;
    // What other agents say of others is hearsay.
    const { peers: _, ...asked } = picture;
    const verdict = repairVerdict(incident, {
      diagnosis,
      firewall: picture.firewall,
      isLookedAt: lookedAt(config, asked, observations),
      silent: silentWitnesses(config, seen, heard),
    });
    terminal.output.write(
      wish.json
        ? `${JSON.stringify({ ...diagnosisToJson(diagnosis), verify: verdict })}\n`
        : renderRepair(verdict, terminal.style),
    );
    return EXIT[verdict.answer];
  } catch (error) {
    terminal.errors.write(`${messageOf(error)}\n`);
    return EXIT_UNKNOWN;
  }
}

/** @throws {Error} saying which ones there are */
function incidentIn(stored: StoredIncident, { incident: id }: VerifyWish, { store: { path } }: Config): Incident {
  switch (stored.kind) {
    case 'found':
      return stored.incident;
    case 'none':
      throw new Error(`No incident is known: no daemon has kept anything in "${path}" ("store.path")`);
    case 'unreadable':
      throw new Error(`Cannot read the incidents: ${stored.message}`);
    case 'missing': {
      const known = stored.latest.map(
        ({ id: other, cause, status }) => `- ${other}: ${cause.id} (${cause.subject}), ${status}`,
      );
      const shown = known.map((line) => visibleText(line, MAX_SHOWN)).join('\n');
      const others = known.length === 0 ? 'none is known' : `the latest are:\n${shown}`;
      throw new Error(`No incident is called "${visibleText(id, MAX_SHOWN)}"; ${others}`);
    }
  }
}

/** What a daemon has heard: a cause that only the log shows is not gone because nobody listened. */
async function heardBy(config: Config, { clock }: Invocation): Promise<Heard> {
  const now = clock.now();
  const kept = await readKept(config, now);
  const signatures = await loadSignatures(config.logs.signatureFiles, isFaultId);
  return { log: logPartOf(config, { ...kept, signatures, now }), isEverKept: kept.logMemory.kind !== 'none' };
}

interface Heard {
  readonly log: LogPart;
  /** Without, no cause came from the log. */
  readonly isEverKept: boolean;
}

function silentWitnesses(
  config: Config,
  { picture }: Examination,
  { log, isEverKept }: Heard,
): readonly SilentWitness[] {
  const heedingLog = CHECKS.filter(({ withLog }) => withLog !== undefined).map(({ id }) => id);
  const onPath = CHECKS.filter((check) => check.onPath === true).map(({ id }) => id);
  const read = picture.peers.flatMap((peer) => (peer.kind === 'seen' ? [peer.peer] : []));
  const unread = config.peers.flatMap(({ name }) => (read.includes(name) ? [] : [name]));
  return [
    ...(isEverKept && log.kind === 'unheard'
      ? [{ of: heedingLog, why: `The log may have shown it. ${log.reason}.` }]
      : []),
    ...(unread.length > 0
      ? [{ of: onPath, why: `Another agent may have seen it, and cannot be read: ${nameList(unread)}.` }]
      : []),
  ];
}

/** Subjects of several parts: a flow, several addresses that are silent together. */
const BETWEEN_PARTS = /, | to /u;

/**
 * Tells whether the subject of a cause, each part of it, was looked at: it is named in the configuration or by what was
 * asked, or is of this machine itself.
 *
 * @param named the configuration, and what was asked
 */
export function lookedAt(...named: readonly unknown[]): (subject: string) => boolean {
  const names = new Set([CLOCK_SUBJECT, ...CHECKS.map(({ id }) => id), ...namesIn(named)]);
  return (subject) => names.has(subject) || subject.split(BETWEEN_PARTS).every((part) => names.has(part));
}
