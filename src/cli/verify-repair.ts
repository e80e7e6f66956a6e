import { tlsGenuine } from '../checks/tls-genuine/judge.ts';
import { CHECKS } from '../checks/registry.ts';
import { repairVerdict, type RepairAnswer, type SilentWitness } from '../checks/repair-verdict.ts';
import type { Config } from '../config/config.ts';
import type { Millis } from '../core/clock.ts';
import { nameList, visibleText } from '../core/visible-text.ts';
import { diagnosisToJson } from '../checks/diagnosis-json.ts';
import { renderRepair } from '../report/report-text.ts';
import type { LogPart } from '../checks/conclude.ts';
import { readStoredIncident, type StoredIncident } from '../store/stored-history.ts';
import { deadline } from '../system/clock.ts';
import { type Examination, examine, neededToExamine } from './examine.ts';
import { readStored } from './log-memory.ts';
import { EXIT_UNKNOWN } from './lazy-command.ts';
import { configOf, type Invocation } from './terminal.ts';
import { lookedAt } from '../checks/named-subjects.ts';

interface VerifyWish {
  readonly incident: string;
  readonly json: boolean;
  /** Checks that have not finished within this time are reported as unknown. Null for no limit. */
  readonly timeout: Millis | null;
}

const EXIT: Readonly<Record<RepairAnswer, number>> = { 'in-force': 0, 'not-in-force': 2, 'not-visible': EXIT_UNKNOWN };

const MOST_NAMED = 10;
const MAX_SHOWN = 200;

export async function verifyRepair(wish: VerifyWish, terminal: Invocation): Promise<number> {
  const config = await configOf(terminal, neededToExamine);
  const { incident } = storedIncident(config, wish.incident);
  const { log, logMemory } = await readStored(config, terminal.clock.now());
  using limit = wish.timeout === null ? null : deadline(terminal.clock, wish.timeout, terminal.signal);
  const signal = limit?.signal ?? terminal.signal;
  const progress = wish.json ? null : terminal.progress;
  const seen = await examine({ ...terminal, signal, config, log, progress });
  const { diagnosis, picture, observations } = seen;
  // Reports from other agents are excluded, because they do not prove the current state.
  const { peers: _, ...asked } = picture;
  const verdict = repairVerdict(incident, {
    diagnosis,
    firewall: picture.firewall,
    isLookedAt: lookedAt(config, asked, observations),
    // If no daemon has ever saved log data, no cause can come from the log.
    silent: silentWitnesses(config, seen, logMemory.kind === 'none' ? null : log),
  });
  terminal.output.write(
    wish.json
      ? `${JSON.stringify({ ...diagnosisToJson(diagnosis), verify: verdict })}\n`
      : renderRepair(verdict, incident.cause, terminal.style),
  );
  return EXIT[verdict.answer];
}

/** @throws {Error} with a list of existing incidents if the ID is unknown */
export function storedIncident(
  { store: { path } }: Pick<Config, 'store'>,
  id: string,
): Extract<StoredIncident, { readonly kind: 'found' }> {
  const stored = readStoredIncident(path, id, MOST_NAMED);
  switch (stored.kind) {
    case 'found':
      return stored;
    case 'none':
      throw new Error(`No incidents found: no daemon has stored any data in "${path}" ("store.path")`);
    case 'unreadable':
      throw new Error(`Cannot read the incidents: ${stored.message}`);
    case 'missing': {
      const known = stored.latest.map(
        ({ id: other, cause, status }) => `- ${other}: ${cause.id} (${cause.subject}), ${status}`,
      );
      const shown = known.map((line) => visibleText(line, MAX_SHOWN)).join('\n');
      const others = known.length === 0 ? 'no incidents are stored' : `the latest incidents are:\n${shown}`;
      throw new Error(`There is no incident "${visibleText(id, MAX_SHOWN)}"; ${others}`);
    }
  }
}

/** A cause that was found only in the log is not considered resolved unless a daemon is receiving the log. */
function silentWitnesses(config: Config, { picture }: Examination, log: LogPart | null): readonly SilentWitness[] {
  const onPath = CHECKS.filter((check) => check.onPath === true).map(({ id }) => id);
  const read = picture.peers.flatMap((peer) => (peer.kind === 'seen' ? [peer.peer] : []));
  const unread = config.peers.flatMap(({ name }) => (read.includes(name) ? [] : [name]));
  return [
    ...(log?.kind === 'unheard'
      ? [{ of: [tlsGenuine.id], why: `The cause may have been detected in the log. ${log.reason}.` }]
      : []),
    ...(unread.length > 0
      ? [
          {
            of: onPath,
            why: `The cause may have been reported by another agent that cannot be reached now: ${nameList(unread)}.`,
          },
        ]
      : []),
  ];
}
