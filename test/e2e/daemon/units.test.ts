import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import type { DiagnosisJson } from '../../../src/checks/diagnosis-json.ts';
import { configurationOf } from '../../../src/demo/lab/configuration.ts';
import { createFortiAuthenticator } from '../../../src/demo/lab/fortiauthenticator.ts';
import { createLab } from '../../../src/demo/lab/lab.ts';
import { LICENSE, LICENSE_HOST, SERIALS } from '../../../src/demo/lab/site.ts';
import { createWatchedLab, watchLab } from '../../support/network/lab-check.ts';
import { startDaemonHere } from '../../support/process/daemon-here.ts';

const ASSIGNED = `ftm_license_assigned{appliance="fac-1",license="${LICENSE}"}`;
const LICENSED = 'ftm_tokens_licensed{appliance="fac-1"}';
const EACH_SECOND = { probes: '* * * * * *', appliance: '* * * * * *' };
const SENT = 'ftm_notifications_total{channel="email",result="sent"}';

const watched = await createWatchedLab();
const { lab, daemon, told } = watched;
afterAll(() => watched[Symbol.asyncDispose]());

const isReady = ({ ready, causes }: DiagnosisJson): boolean => ready === 'ready' && causes.length === 0;
const hasCause =
  (id: string) =>
  ({ causes }: DiagnosisJson): boolean =>
    causes.some((cause) => cause.id === id);

/** Waits until a series has this value. */
function becomes(name: string, value: number): Promise<unknown> {
  return expect.poll(() => daemon.value(name)).toBe(value);
}

describe('the daemon that asks FortiAuthenticator, registration and firewall', () => {
  test('shows tokens and licence as metrics, and has read them with GET alone', async () => {
    await daemon.diagnosis(isReady);
    await becomes(ASSIGNED, 1);
    const tokens = ['available', 'assigned', 'pending', 'new', 'other'].map((status) =>
      daemon.value(`ftm_tokens{appliance="fac-1",status="${status}"}`),
    );
    expect(await Promise.all(tokens)).toEqual([30, 2, 0, 0, 0]);
    expect(await daemon.value(LICENSED)).toBe(32);
    const sent = [...lab.appliance.requests, ...lab.firewallApi.requests];
    expect(lab.appliance.requests.length).toBeGreaterThan(4);
    expect(lab.firewallApi.requests.length).toBeGreaterThan(1);
    expect(new Set(sent.map(({ method, body }) => `${method}${body}`))).toEqual(new Set(['GET']));
  });

  test('reports a licence on the peer in diagnosis, incident, mail and metrics, and ends all of them', async () => {
    const active = 'ftm_cause_active{cause="license-on-peer",severity="critical"}';
    expect(await daemon.value(active)).toBe(0);
    lab.register(SERIALS.peer);
    const { causes } = await daemon.diagnosis(hasCause('license-on-peer'));
    expect(causes).toHaveLength(1);
    const mail = await told('firing', 'license-on-peer');
    expect(await daemon.value(active)).toBe(1);
    expect(await daemon.value(ASSIGNED)).toBe(0);
    expect(await daemon.openIncidents()).toMatchObject([
      { cause: 'license-on-peer', severity: 'critical', remedy: causes[0]?.remedy },
    ]);
    // Removes soft line breaks (RFC 2045, section 6.7).
    expect(mail.raw.replaceAll('=\r\n', '')).toContain('support.fortinet.com');
    await becomes(SENT, 1);
    await becomes('ftm_notifications_pending{channel="email"}', 0);
    expect(await daemon.value('ftm_notification_last_success_timestamp_seconds{channel="email"}')).toBeGreaterThan(
      1_600_000_000,
    );

    lab.register(SERIALS.unit);
    await told('resolved', 'license-on-peer');
    await becomes(active, 0);
    await becomes(ASSIGNED, 1);
    await becomes(SENT, 2);
    expect(lab.inbox.mails.map(({ event }) => event)).toEqual(['firing', 'resolved']);
    expect(await daemon.openIncidents()).toEqual([]);
  });

  test('leaves out what an appliance does not tell any more', async () => {
    await expect.poll(() => daemon.value(LICENSED)).toBe(32);
    lab.appliance.setFault({ kind: 'reset' });
    await becomes(LICENSED, Number.NaN);
    await daemon.diagnosis(hasCause('appliance-unreadable'));
    lab.appliance.setFault({ kind: 'none' });
    await becomes(LICENSED, 32);
  });

  test.each<readonly [string, () => void, string, string, string]>([
    [
      'has a wrong clock',
      () => {
        lab.appliance.state.clockOffset = -90_000;
      },
      'appliance-clock-skewed',
      'clock of fac-1',
      'ready',
    ],
    [
      'refuses the key',
      () => lab.appliance.setFault({ kind: 'status', status: 401 }),
      'appliance-access-denied',
      'fac-1',
      'unknown',
    ],
    [
      'fails behind its interface',
      () => lab.appliance.setFault({ kind: 'status', status: 500 }),
      'appliance-unreadable',
      'fac-1',
      'unknown',
    ],
  ])(
    'warns of one that %s, does not say that activation is broken, and tells the end',
    async (_, begin, cause, subject, ready) => {
      await daemon.diagnosis(({ causes }) => causes.length === 0);
      begin();
      const seen = await daemon.diagnosis(hasCause(cause));
      expect(seen).toMatchObject({ ready, causes: [{ id: cause, severity: 'warning', subject }] });
      await told('firing', cause);
      expect(await daemon.value('ftm_activation_ready')).toBe(ready === 'ready' ? 1 : Number.NaN);
      expect(await daemon.value(`ftm_cause_active{cause="${cause}",severity="warning"}`)).toBe(1);
      expect(await daemon.read('/')).toContain(cause);
      lab.appliance.setFault({ kind: 'none' });
      lab.appliance.state.clockOffset = 0;
      // Ends the pause after a refused login.
      daemon.signal('SIGHUP');
      await told('resolved', cause);
    },
  );
});

test('the firewall is asked again when the port is shut, and once more afterwards', async () => {
  const schedule = { probes: '* * * * * *', appliance: '0 0 0 1 1 *', registration: '0 0 0 1 1 *' };
  await using seldom = await watchLab(lab, { schedule, store: { path: 'seldom/history.sqlite' } });
  await seldom.diagnosis(isReady);
  try {
    lab.firewallApi.state.matches = 0;
    await lab.firewall.setMode({ kind: 'refuse' }, LICENSE_HOST);
    const { causes } = await seldom.diagnosis((seen) => seen.causes.length > 0);
    expect(causes).toMatchObject([{ id: 'egress-blocked', confidence: 'confirmed' }]);
  } finally {
    lab.firewallApi.state.matches = 5;
    await lab.firewall.setMode({ kind: 'off' });
  }
  await seldom.diagnosis(isReady);
});

test('a daemon that is started again does not ask the registration service again', async () => {
  await using own = await createLab({ schedule: { ...EACH_SECOND, registration: '0 0 0 1 1 *' } });
  for (let start = 0; start < 2; start += 1) {
    await using again = await watchLab(own);
    await expect.poll(() => again.value(ASSIGNED)).toBe(1);
  }
  expect(own.registration.requests).toHaveLength(2);
});

test('a unit that answers nothing does not hold up what is told of another one', async () => {
  await using silent = await createFortiAuthenticator();
  silent.setFault({ kind: 'silent' });
  const api = { url: silent.url, user: 'monitor', keyFile: 'fac-key', pin: silent.identity.pin };
  const appliances = [...(configurationOf(lab)['appliances'] as readonly object[]), { name: 'fac-2', api }];
  lab.appliance.setFault({ kind: 'status', status: 401 });
  try {
    await using other = await watchLab(lab, { appliances, store: { path: 'two-units/history.sqlite' } });
    // The first unit's incident needs two checks, and a request is given up after 10 s.
    await expect.poll(() => other.openIncidents()).toMatchObject([{ cause: 'appliance-access-denied' }]);
    expect(silent.requests).toHaveLength(1);
  } finally {
    lab.appliance.setFault({ kind: 'none' });
  }
});

test('an incident of a unit that is no longer configured ends with one message, and others go on', async () => {
  const { registration: _, ...rest } = configurationOf(lab);
  const [unit = {}] = (rest as { readonly appliances: readonly object[] }).appliances;
  const other = { name: 'fac-2', serial: 'FAC-VM0000000009', peerSerial: undefined, logSources: [], licenses: [] };
  const config = { ...rest, site: 'removed', store: { path: 'removed/history.sqlite' } };
  const write = (appliances: readonly object[]): Promise<void> =>
    writeFile(join(lab.folder, 'removed.yaml'), JSON.stringify({ ...config, appliances }));
  await write([unit, { ...unit, ...other }]);
  await using removed = startDaemonHere({ cwd: lab.folder, config: 'removed.yaml' });
  const events = (): readonly (string | null)[] =>
    lab.inbox.mails.filter(({ subject }) => / removed\b/u.test(subject)).map(({ event }) => event);
  const become = async (open: number, expected: readonly string[]): Promise<void> => {
    await expect.poll(() => removed.openIncidents()).toHaveLength(open);
    await expect.poll(events).toEqual(expected);
  };
  lab.appliance.setFault({ kind: 'status', status: 401 });
  try {
    await become(2, ['firing', 'firing']);
    await write([unit]);
    removed.signal('SIGHUP');
    await become(1, ['firing', 'firing', 'resolved']);
    await write([]);
    removed.signal('SIGHUP');
    await become(0, ['firing', 'firing', 'resolved', 'resolved']);
  } finally {
    lab.appliance.setFault({ kind: 'none' });
  }
});
