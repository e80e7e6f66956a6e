import { cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { PLAIN_DEPS, PLAIN_PARTS } from './plain-alerting.ts';
import { join } from 'node:path';
import type { Severity } from '../../src/core/severity.ts';
import type { Cause } from '../../src/engine/cause.ts';
import { eventOf, incidentsOf } from '../../src/engine/incident/notification.ts';
import type { MessageChannel, RecipientOutcome, DeliveryRequest } from '../../src/notify/channels/channel.ts';
import { Alerting } from '../../src/notify/alerting.ts';
import { createStore } from '../../src/store/store.ts';
import type { Store } from '../../src/store/store.ts';
import { diagnosisOf } from './diagnosis-of.ts';
import { handClock } from './hand-clock.ts';
import type { HandClock } from './hand-clock.ts';
import { HOUR, SECOND, START } from './incident-timeline.ts';
import { logRecorder } from './log-recorder.ts';
import type { LogRecorder } from './log-recorder.ts';

/**
 * The engine over a real store, on a clock that the test moves, with one channel whose peer says what the test decides.
 */
export interface AlertingBench extends Disposable {
  readonly clock: HandClock;
  readonly path: string;
  readonly store: Store;
  readonly logger: LogRecorder;
  /** What the peer says from now on. @default sent */
  answer(say: Say): void;
  /** `event cause outcome` of each try; several causes with a plus. */
  readonly tries: readonly string[];
  /** Since when it failed, of each try. */
  readonly lateness: readonly (number | null)[];
  /** As metrics count them. */
  readonly results: readonly string[];
  /** One more engine over the same store, started. */
  start(recipients: readonly string[], minSeverity?: Severity): Alerting;
}

/** Null: the channel reports no outcome for this recipient. */
type Say = (
  causes: readonly string[],
  recipient: string,
) => RecipientOutcome['kind'] | Pick<RecipientOutcome, 'kind' | 'retryAfter'> | null;

/** @param from a store to begin with, which is copied as it is now, with what SQLite has beside it */
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

  function deliver({ notification, recipients, firstFailedAt }: DeliveryRequest): Promise<readonly RecipientOutcome[]> {
    const causes = incidentsOf(notification).map(({ cause }) => cause.id);
    lateness.push(firstFailedAt);
    return Promise.resolve(
      recipients.flatMap((recipient) => {
        const said = say(causes, recipient);
        const outcome = typeof said === 'string' ? { kind: said } : said;
        tries.push(`${eventOf(notification)} ${causes.join('+')} ${outcome?.kind ?? 'unknown'}`);
        return outcome === null ? [] : { recipient, detail: '', ...outcome };
      }),
    );
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
    start(recipients, minSeverity = 'warning') {
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
      alerting.start();
      return alerting;
    },
    [Symbol.dispose]() {
      store.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** So many rounds with these causes, half a minute apart. */
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
