import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PLAIN_DEPS, PLAIN_PARTS } from '../../support/notify/plain-alerting.ts';
import type { Cause } from '../../../src/engine/model.ts';
import type { MessageChannel } from '../../../src/notify/channels/channel.ts';
import { Alerting } from '../../../src/notify/alerting.ts';
import { createMaintenance } from '../../../src/notify/maintenance.ts';
import { createStore } from '../../../src/store/store.ts';
import { causeOf, diagnosisOf } from '../../support/checks/diagnosis-of.ts';
import { handClock } from '../../support/time/hand-clock.ts';
import { HOUR, SECOND, START } from '../../support/store/incident-timeline.ts';
import { logRecorder } from '../../support/process/log-recorder.ts';

const intercepted = causeOf('tls-intercepted');

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ftm-watch-names-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** A site with a separate store and clock. */
function site(file: string, clock = handClock(START)) {
  const ids: string[] = [];
  const logger = logRecorder();
  const store = createStore({ path: join(folder, file), retention: 90 * 24 * HOUR }, { clock, logger });
  const channel: MessageChannel = {
    kind: 'messages',
    id: 'email',
    recipients: ['alice@example.org', 'bob@example.org'],
    minSeverity: 'warning',
    deliver: ({ notification, recipients }) => {
      ids.push(notification.id);
      return Promise.resolve(recipients.map((recipient) => ({ recipient, kind: 'sent', detail: '' })));
    },
  };
  const alerting = new Alerting(
    {
      channels: [channel],
      maintenance: createMaintenance([]),
      ...PLAIN_PARTS,
    },
    {
      clock,
      logger,
      journal: store.journal,
      ...PLAIN_DEPS,
      onDelivery: () => undefined,
    },
  );
  alerting.start();
  const rounds = async (count: number, causes: readonly Cause[]): Promise<void> => {
    for (let index = 0; index < count; index += 1) {
      alerting.accept(diagnosisOf(clock.now(), causes), null);
      await alerting.idle();
      clock.advance(30 * SECOND);
      await alerting.idle();
    }
  };
  return { clock, store, alerting, ids, logger, rounds };
}

describe('Alerting', () => {
  it('tells two sites apart, and names one site the same after a restart', async () => {
    const here = site('here.sqlite');
    await here.rounds(2, [intercepted]);
    here.store.close();
    const restarted = site('here.sqlite', here.clock);
    await restarted.rounds(3, []);
    restarted.store.close();
    const elsewhere = site('elsewhere.sqlite');
    await elsewhere.rounds(2, [intercepted]);
    elsewhere.store.close();

    const [begin = ''] = here.ids;
    expect(begin).toMatch(/^20261124T130030Z-[0-9a-f]{10}-1\.1$/u);
    expect(restarted.ids).toEqual([expect.stringMatching(/^restart-/u), begin.replace(/1$/u, '2')]);
    expect(elsewhere.ids).toEqual([expect.stringMatching(/^20261124T130030Z-[0-9a-f]{10}-1\.1$/u)]);
    expect(elsewhere.ids).not.toEqual(here.ids);
  });

  it('tells once that the process before it did not end as it was asked to', async () => {
    const first = site('restarts.sqlite');
    await first.rounds(1, []);
    first.store.close();
    const second = site('restarts.sqlite', first.clock);
    await second.alerting.stop(new AbortController().signal);
    second.store.close();
    const third = site('restarts.sqlite', first.clock);
    await third.alerting.stop(new AbortController().signal);
    third.store.close();

    expect(first.ids).toEqual([]);
    expect(second.ids).toEqual([expect.stringMatching(/^restart-/u)]);
    expect(third.ids).toEqual([]);
  });

  it('shows and logs what the hourly limit holds back', async () => {
    const { alerting, logger, rounds, store } = site('here.sqlite');
    const mails = Array.from({ length: 25 }, (_, index) =>
      causeOf('mail-unreachable', { subject: `mail-${String(index)}`, severity: 'warning' }),
    );
    for (let count = 1; count <= mails.length; count += 1) await rounds(2, mails.slice(0, count));
    const held = alerting.incidents().filter((incident) => incident.awaitsDigest).length;
    expect(held).toBeGreaterThan(0);
    expect(alerting.pending()).toMatchObject({ email: 2 * held, webhook: 0 });
    expect(logger.lines.map(({ event }) => event)).toContain('notifications-limited');
    store.close();
  });
});
