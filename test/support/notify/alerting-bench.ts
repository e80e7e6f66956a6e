import { once } from 'node:events';
import { cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PLAIN_DEPS, PLAIN_PARTS } from './plain-alerting.ts';
import type { Millis } from '../../../src/core/clock.ts';
import type { Severity } from '../../../src/core/severity.ts';
import type { Cause } from '../../../src/engine/model.ts';
import { eventOf, incidentsOf, type Notification } from '../../../src/engine/incident/incident.ts';
import type { MessageChannel, RecipientOutcome, DeliveryRequest } from '../../../src/notify/channels/channel.ts';
import { Alerting } from '../../../src/notify/alerting.ts';
import { createStore, type Store } from '../../../src/store/store.ts';
import { diagnosisOf } from '../checks/diagnosis-of.ts';
import { handClock, type HandClock } from '../time/hand-clock.ts';
import { HOUR, SECOND, START } from '../store/incident-timeline.ts';
import { logRecorder, type LogRecorder } from '../process/log-recorder.ts';

type AlertingParts = ConstructorParameters<typeof Alerting>[0];
type AlertingDeps = ConstructorParameters<typeof Alerting>[1];

export interface AlertingOptions extends Partial<AlertingParts>, Partial<Pick<AlertingDeps, 'summaryFacts'>> {
  readonly minSeverity?: Severity;
}

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
  /** `event recipient outcome` of the same attempts. */
  readonly heard: readonly string[];
  /** What each delivery was about. */
  readonly notifications: readonly Notification[];
  /** Failing since, for each delivery. */
  readonly lateness: readonly (number | null)[];
  /** Results as the metrics count them. */
  readonly results: readonly string[];
  /** Returns the bench's channel, for an engine with several. */
  channel(recipients: readonly string[], more?: Partial<MessageChannel>): MessageChannel;
  /** Starts another engine on the same store. */
  start(recipients: readonly string[], options?: AlertingOptions): Alerting;
  /** Runs this many rounds with these causes, half a minute apart. */
  rounds(alerting: Alerting, count: number, causes: readonly Cause[]): Promise<void>;
  /** Lets time pass in steps, after each of which the engine comes to rest. @default steps of 10 s */
  pass(alerting: Alerting, time: Millis, step?: Millis): Promise<void>;
  /** Ends an engine as at the end of the process. */
  stop(alerting: Alerting): Promise<void>;
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
  const [tries, heard, results]: [string[], string[], string[]] = [[], [], []];
  const notifications: Notification[] = [];
  const lateness: (number | null)[] = [];
  let say: Say = () => 'sent';
  let answering = Promise.resolve();
  let waiting = 0;

  async function deliver(
    { notification, recipients, firstFailedAt }: DeliveryRequest,
    signal: AbortSignal,
  ): Promise<readonly RecipientOutcome[]> {
    const causes = incidentsOf(notification).map(({ cause }) => cause.id);
    notifications.push(notification);
    lateness.push(firstFailedAt);
    waiting += 1;
    const brokenOff = once(signal, 'abort').then(() => 'broken off' as const);
    const end = await Promise.race([answering, brokenOff]);
    waiting -= 1;
    return recipients.flatMap((recipient) => {
      const said = end === 'broken off' ? 'deferred' : say(causes, recipient);
      const outcome = typeof said === 'string' ? { kind: said } : said;
      const kind = end ?? outcome?.kind ?? 'unknown';
      tries.push(`${eventOf(notification)} ${causes.join('+')} ${kind}`);
      heard.push(`${eventOf(notification)} ${recipient} ${kind}`);
      return outcome === null ? [] : { recipient, detail: '', ...outcome };
    });
  }

  function channel(recipients: readonly string[], more: Partial<MessageChannel> = {}): MessageChannel {
    return { kind: 'messages', id: 'email', recipients, minSeverity: 'warning', deliver, ...more };
  }

  return {
    clock,
    path,
    store,
    logger,
    tries,
    heard,
    notifications,
    lateness,
    results,
    channel,
    answer(next) {
      say = next;
    },
    hold() {
      const { promise, resolve } = Promise.withResolvers<void>();
      answering = promise;
      return resolve;
    },
    waiting: () => waiting,
    start(recipients, { minSeverity = 'warning', summaryFacts, ...parts } = {}) {
      const channels = [channel(recipients, { minSeverity })];
      const alerting = new Alerting(
        { channels, maintenance: { isActive: () => false }, ...PLAIN_PARTS, ...parts },
        {
          clock,
          logger,
          journal: store.journal,
          ...PLAIN_DEPS,
          ...(summaryFacts === undefined ? {} : { summaryFacts }),
          onDelivery: (id, result) => results.push(`${id} ${result}`),
        },
      );
      alerting.start();
      return alerting;
    },
    async rounds(alerting, count, causes) {
      for (let index = 0; index < count; index += 1) {
        alerting.accept(diagnosisOf(clock.now(), causes), null);
        await alerting.idle();
        await passOn(clock, alerting, 30 * SECOND, 30 * SECOND);
      }
    },
    pass: (alerting, time, step = 10 * SECOND) => passOn(clock, alerting, time, step),
    stop: (alerting) => alerting.stop(new AbortController().signal),
    [Symbol.dispose]() {
      store.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function passOn(clock: HandClock, alerting: Alerting, time: Millis, step: Millis): Promise<void> {
  for (let rest = time; rest > 0; rest -= step) {
    clock.advance(Math.min(rest, step));
    await alerting.idle();
  }
}
