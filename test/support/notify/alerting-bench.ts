import { once } from 'node:events';
import { cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PLAIN_DEPS, PLAIN_PARTS } from './plain-alerting.ts';
import type { Severity } from '../../../src/core/severity.ts';
import type { Cause } from '../../../src/engine/model.ts';
import { eventOf, incidentsOf } from '../../../src/engine/incident/incident.ts';
import type { MessageChannel, RecipientOutcome, DeliveryRequest } from '../../../src/notify/channels/channel.ts';
import { Alerting } from '../../../src/notify/alerting.ts';
import type { Attempt } from '../../../src/notify/outbox.ts';
import { createStore, type Store } from '../../../src/store/store.ts';
import { diagnosisOf } from '../checks/diagnosis-of.ts';
import { handClock, type HandClock } from '../time/hand-clock.ts';
import { HOUR, SECOND, START } from '../store/incident-timeline.ts';
import { logRecorder, type LogRecorder } from '../process/log-recorder.ts';

/**
 * The engine with a real store, on a clock that the test moves, and with one channel whose peer answers as the test
 * decides.
 */
export interface AlertingBench extends Disposable {
  readonly clock: HandClock;
  readonly path: string;
  readonly store: Store;
  readonly logger: LogRecorder;
  /** Sets the peer's further answers. @default sent */
  answer(say: Say): void;
  /** Holds back all answers until the returned function is called, which then answers with the current `say`. */
  hold(): () => void;
  /** Number of deliveries that wait for the peer's answer and were not aborted. */
  waiting(): number;
  /** `event cause outcome` of each attempt; several causes are joined with a plus. */
  readonly tries: readonly string[];
  /** Failing since, for each attempt. */
  readonly lateness: readonly (number | null)[];
  /** Results as the metrics count them. */
  readonly results: readonly string[];
  /** Starts another engine on the same store, with the attempts that a previous engine handed over. */
  start(recipients: readonly string[], minSeverity?: Severity, underWay?: readonly Attempt[]): Alerting;
}

/** null: the channel reports no outcome for this recipient. */
type Say = (
  causes: readonly string[],
  recipient: string,
) => RecipientOutcome['kind'] | Pick<RecipientOutcome, 'kind' | 'retryAfter'> | null;

/** @param from an existing store, which is copied in its current state with SQLite's additional files */
export function alertingBench(from: string | null = null): AlertingBench {
  const folder = mkdtempSync(join(tmpdir(), 'ftm-watch-alerting-'));
  const clock = handClock(START);
  const logger = logRecorder();
  const path = join(folder, 'history.sqlite');
  for (const suffix of ['', '-wal'])
    if (from !== null && existsSync(from + suffix)) cpSync(from + suffix, path + suffix);
  const store = createStore({ path, retention: 90 * 24 * HOUR }, { clock, logger });
  const tries: string[] = [];
  const lateness: (number | null)[] = [];
  const results: string[] = [];
  let say: Say = () => 'sent';
  let answering = Promise.resolve();
  let waiting = 0;

  async function deliver(
    { notification, recipients, firstFailedAt }: DeliveryRequest,
    signal: AbortSignal,
  ): Promise<readonly RecipientOutcome[]> {
    const causes = incidentsOf(notification).map(({ cause }) => cause.id);
    lateness.push(firstFailedAt);
    waiting += 1;
    const brokenOff = once(signal, 'abort').then(() => 'broken off' as const);
    const end = await Promise.race([answering, brokenOff]);
    waiting -= 1;
    return recipients.flatMap((recipient) => {
      const said = end === 'broken off' ? 'deferred' : say(causes, recipient);
      const outcome = typeof said === 'string' ? { kind: said } : said;
      tries.push(`${eventOf(notification)} ${causes.join('+')} ${end ?? outcome?.kind ?? 'unknown'}`);
      return outcome === null ? [] : { recipient, detail: '', ...outcome };
    });
  }

  return {
    clock,
    path,
    store,
    logger,
    tries,
    lateness,
    results,
    answer(next) {
      say = next;
    },
    hold() {
      const { promise, resolve } = Promise.withResolvers<void>();
      answering = promise;
      return resolve;
    },
    waiting: () => waiting,
    start(recipients, minSeverity = 'warning', underWay = []) {
      const email: MessageChannel = { kind: 'messages', id: 'email', recipients, minSeverity, deliver };
      const alerting = new Alerting(
        {
          channels: [email],
          maintenance: { isActive: () => false },
          ...PLAIN_PARTS,
        },
        {
          clock,
          logger,
          journal: store.journal,
          ...PLAIN_DEPS,
          onDelivery: (id, result) => results.push(`${id} ${result}`),
        },
      );
      alerting.start(null, underWay);
      return alerting;
    },
    [Symbol.dispose]() {
      store.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Runs this many rounds with these causes, half a minute apart. */
export async function liveRounds(
  alerting: Alerting,
  clock: HandClock,
  count: number,
  causes: readonly Cause[],
): Promise<void> {
  for (let index = 0; index < count; index += 1) {
    alerting.accept(diagnosisOf(clock.now(), causes), null);
    await alerting.idle();
    clock.advance(30 * SECOND);
    await alerting.idle();
  }
}
