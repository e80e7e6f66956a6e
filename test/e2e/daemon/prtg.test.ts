import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { shortCause } from '../../../src/checks/headline.ts';
import type { DiagnosisJson } from '../../../src/checks/diagnosis-json.ts';
import { createLab } from '../../../src/demo/lab/lab.ts';
import { LICENSE_HOST } from '../../../src/demo/lab/site.ts';
import { createPrtgSensor, readLookup, type SensorView } from '../../support/monitoring/prtg-sensor.ts';
import { watchLab } from '../../support/network/lab-check.ts';
import { until } from '../../support/time/until.ts';

const LOOKUP = fileURLToPath(new URL('../../../deploy/prtg/ftm.watch.state.ovl', import.meta.url));
const TOKEN = 'a-token-for-the-sensor';
/** As in `src/document/notification.ts`. */
const MAX_SUBJECT = 60;
const LIMIT_MS = 30_000;

test('a fault, another cause, the repair and the end of the daemon are seen in PRTG, as in mails', {
  timeout: 120_000,
}, async () => {
  await using lab = await createLab();
  await writeFile(join(lab.folder, 'token'), TOKEN, { mode: 0o600 });
  const tokens = [{ name: 'prtg', tokenFile: 'token', role: 'read' }];
  const daemon = await watchLab(lab, { web: { listen: '127.0.0.1:0', tokens } });
  const url = new URL('/api/v1/prtg', await daemon.page());
  const sensor = createPrtgSensor(readLookup(LOOKUP));
  const scan = async (token = TOKEN): Promise<SensorView> => {
    const response = await fetch(url, { headers: { Authorization: `Bearer ${token}` } }).catch(() => null);
    return sensor.scanHttp(response?.status ?? 503, (await response?.text()) ?? '');
  };
  const seen = (isMeant: (view: SensorView) => boolean): Promise<SensorView> => until(() => scan(), isMeant, LIMIT_MS);
  /** The sensor's message begins with the cause's headline, and the subject of the mail is its short form. */
  const expectTold = async (wanted: string): Promise<SensorView> => {
    const signal = AbortSignal.timeout(LIMIT_MS);
    const { subject } = await lab.inbox.mail(({ event, cause }) => event !== 'resolved' && cause === wanted, signal);
    const status = await fetch(new URL('/api/v1/status', url), { headers: { Authorization: `Bearer ${TOKEN}` } });
    const { causes } = (await status.json()) as DiagnosisJson;
    const cause = causes.find(({ id }) => id === wanted);
    if (cause === undefined) throw new Error(`No cause "${wanted}"`);
    const [prefix = ''] = subject.split(': ');
    expect(subject).toBe(`${prefix}: ${shortCause(cause, MAX_SUBJECT - `${prefix}: `.length)}`);
    return seen(({ message }) => message.startsWith(`${cause.headline}. `));
  };

  await seen(({ state }) => state === 'Up');
  await lab.inspect(true);
  expect((await expectTold('tls-intercepted')).state).toBe('Down');
  expect(await scan('another-token-than-that')).toMatchObject({ state: 'Down', channels: new Map() });
  lab.resolver.setFault(LICENSE_HOST, { kind: 'answer', address: '0.0.0.0' });
  expect((await expectTold('answer-hijacked')).state).toBe('Down');
  lab.resolver.setFault(LICENSE_HOST, { kind: 'none' });
  await lab.inspect(false);
  await seen(({ state }) => state === 'Up');
  lab.appliance.state.sms = { available_sms: 5, total_sms: 100, used_sms: 95 };
  const warned = await expectTold('sms-running-out');
  expect([warned.state, warned.channels.get('State'), warned.channels.get('SMS left (fac-1)')]).toEqual([
    'Warning',
    1,
    5,
  ]);
  lab.appliance.state.key = 'another key';
  const unknown = await seen(({ channels }) => channels.get('State') === 3);
  expect([unknown.state, unknown.channels.has('SMS left (fac-1)')]).toEqual(['Warning', false]);
  await daemon[Symbol.asyncDispose]();
  expect((await scan()).state).toBe('Down');
});
