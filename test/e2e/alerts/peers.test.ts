import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { noSummaryFacts } from '../../support/notify/plain-alerting.ts';
import { systemClock } from '../../../src/system/clock.ts';
import type { Config } from '../../../src/config/config.ts';
import type { Cause } from '../../../src/engine/model.ts';
import { type Alerting, createAlerting } from '../../../src/notify/alerting.ts';
import { createStore, type Store } from '../../../src/store/store.ts';
import { configOf } from '../../support/config/config-of.ts';
import { startAlertmanager } from '../../support/monitoring/alertmanager-process.ts';
import { causeOf, diagnosisOf } from '../../support/checks/diagnosis-of.ts';
import { EXIM_PACKAGE, startExim } from '../../support/mail/exim-instance.ts';
import { jsonReceiver, type JsonReceiver } from '../../support/notify/json-receiver.ts';
import { logRecorder } from '../../support/process/log-recorder.ts';
import { startPostfix } from '../../support/mail/postfix-instance.ts';
import { describeWhere, type Need } from '../../support/process/privilege.ts';
import { alertmanagerAt } from '../../support/monitoring/alertmanager-at.ts';
import { roundRecord } from '../../support/store/store-records.ts';

const intercepted = causeOf('tls-intercepted', { product: 'Fortinet FortiGate' });
const NEVER = new AbortController().signal;
const PATIENCE = { timeout: 20_000, interval: 50 };
/** Alertmanager ends an alert 90 s after the incident. */
const LINGERING = { timeout: 110_000, interval: 100 };

let folder: string;
let store: Store;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ftm-watch-peers-'));
});

afterEach(() => {
  store.close();
  rmSync(folder, { recursive: true, force: true });
});

const DEFAULTS = await configOf('site: hq');

function relay(port: number): NonNullable<Config['notify']['email']>['servers'][number] {
  return { host: '127.0.0.1', port, security: 'none', user: null, password: null, caFile: null };
}

function alert(more: Partial<Config['notify']>, path = join(folder, 'history.sqlite')): Alerting {
  const logger = logRecorder();
  store = createStore({ path, retention: 86_400_000 }, { clock: systemClock, logger });
  const readSecret = (): Promise<string> => Promise.reject(new Error('no secrets here'));
  const alerting = createAlerting(
    { ...DEFAULTS, notify: { ...DEFAULTS.notify, ...more } },
    {
      clock: systemClock,
      logger,
      journal: store.journal,
      intervals: {},
      summaryFacts: noSummaryFacts,
      readSecret,
      version: '0.1.0',
      env: {},
      onDelivery: () => undefined,
    },
  );
  alerting.start();
  return alerting;
}

async function rounds(alerting: Alerting, count: number, causes: readonly Cause[]): Promise<void> {
  for (let index = 0; index < count; index += 1) {
    const now = systemClock.now();
    alerting.accept(diagnosisOf(now, causes), null);
    store.recordRound(roundRecord(now, causes.length === 0 ? 'ok' : 'broken'));
    await alerting.idle();
  }
}

/** Returns what Alertmanager sent to its receiver: `status cause` for each alert in each message. */
function relayed(receiver: JsonReceiver): readonly string[] {
  return receiver.posts.flatMap(({ body }) =>
    (body as { alerts: { status: string; labels: Record<string, string> }[] }).alerts.map(
      ({ status, labels }) => `${status} ${labels['cause'] ?? ''}`,
    ),
  );
}

const PEERS: readonly Need[] = [
  'root',
  { program: 'postfix' },
  { unpacked: EXIM_PACKAGE },
  { program: 'prometheus-alertmanager' },
];

describeWhere(PEERS, 'a real exim, a real postfix and a real Alertmanager', () => {
  it('get one mail and one alert for a fault, and one of each when it is over', async () => {
    await using exim = await startExim({ domain: 'elsewhere.test', mailboxes: ['root'] });
    using postfix = await startPostfix(['admins', 'oncall']);
    await using receiver = await jsonReceiver();
    await using alertmanager = await startAlertmanager(receiver.url);
    const alerting = alert({
      // The first relay refuses all mail, and one mailbox does not exist.
      email: {
        from: 'ftm-watch@example.test',
        to: ['admins@example.test', 'gone@example.test', 'oncall@example.test'],
        minSeverity: 'warning',
        servers: [relay(exim.port), relay(postfix.port)],
      },
      alertmanager: alertmanagerAt([alertmanager.url]),
    });
    await rounds(alerting, 6, [intercepted]);
    await expect.poll(() => postfix.mails('admins').length, PATIENCE).toBe(1);
    await expect.poll(() => postfix.mails('oncall').length, PATIENCE).toBe(1);
    const [mail = ''] = postfix.mails('admins');
    expect(mail).toMatch(/^X-FTM-Watch-Event: firing$/mu);
    expect(mail).toMatch(/^X-FTM-Watch-Cause: tls-intercepted$/mu);
    expect(mail.replaceAll(/\r?\n /gu, ' ')).toMatch(/^Subject: CRITICAL FTM hq: TLS is intercepted by FortiGate$/mu);
    expect(await alertmanager.firing()).toEqual([
      {
        alertname: 'FtmActivationBroken',
        site: 'hq',
        cause: 'tls-intercepted',
        severity: 'critical',
        subject: 'fortitokenmobile.fortinet.com:443',
      },
    ]);
    expect(store.deliveries(10).map(({ delivery }) => `${delivery.recipient} ${delivery.status}`)).toContain(
      'gone@example.test rejected',
    );

    await rounds(alerting, 6, []);
    await expect.poll(() => postfix.mails('admins').length, PATIENCE).toBe(2);
    await expect
      .poll(() => relayed(receiver), LINGERING)
      .toEqual(['firing tls-intercepted', 'resolved tls-intercepted']);
    expect(await alertmanager.firing()).toEqual([]);
    const resolved = postfix.mails('admins').find((text) => text.includes('X-FTM-Watch-Event: resolved')) ?? '';
    expect(resolved).toContain(`In-Reply-To: ${/^Message-ID: (.*)$/mu.exec(mail)?.[1] ?? 'none'}`);
    await alerting.stop(NEVER);
    expect(postfix.mails('admins')).toHaveLength(2);
    expect(alerting.pending()).toMatchObject({ email: 0, webhook: 0, alertmanager: 0 });
  }, 180_000);
});
