import { writeFile } from 'node:fs/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { applianceSystems } from '../../../src/connectors/appliances.ts';
import type { UnitObservation } from '../../../src/connectors/picture.ts';
import { createPendingMemory } from '../../../src/connectors/token-counts.ts';
import { createFortiAuthenticator, type FortiAuthenticator } from '../../../src/demo/lab/fortiauthenticator.ts';
import { judgeAppliance } from '../../support/checks/judged-appliance.ts';
import { configOf } from '../../support/config/config-of.ts';
import { connectorContext } from '../../support/connectors/connector-context.ts';
import { handClock, type HandClock } from '../../support/time/hand-clock.ts';
import { folderOfEachTest } from '../../support/process/test-folder.ts';

const MINUTE = 60_000;

const folder = folderOfEachTest();
let fac: FortiAuthenticator;
let clock: HandClock;
let ask: () => Promise<UnitObservation['rest']>;

function setKey(key: string): Promise<void> {
  return writeFile(folder.at('key'), `${key}\n`);
}

/** The unit is queried every 5 minutes, as by default. Returns the minutes in which it received a request. */
async function minutesAsked(minutes: number): Promise<readonly number[]> {
  const asked: number[] = [];
  for (let minute = 0; minute < minutes; minute += 5) {
    const before = fac.requests.length;
    await ask();
    if (fac.requests.length > before) asked.push(minute);
    clock.advance(5 * MINUTE);
  }
  return asked;
}

beforeEach(async () => {
  fac = await createFortiAuthenticator();
  clock = handClock(Date.parse('2026-11-30T12:00:00Z'));
  // The login password instead of the key, which FortiAuthenticator 8.0.3 refuses with 401.
  await setKey('login-password');
  const api = `{ url: "${fac.url}", user: monitor, keyFile: "${folder.at('key')}", pin: "${fac.identity.pin}" }`;
  const pendingTokens = createPendingMemory({ load: () => Promise.resolve(null), save: () => undefined });
  const config = await configOf(`appliances: [{ name: fac-1, api: ${api} }]`);
  const [unit] = applianceSystems(config, { pendingTokens, firmwareFacts: [] });
  ask = async () => (await unit?.ask(connectorContext({ clock })))?.rest ?? null;
});
afterEach(async () => {
  await fac.close();
});

it('makes longer and longer pauses while the login is refused, and reports the refusal in them', async () => {
  expect(await minutesAsked(240)).toEqual([0, 5, 15, 35, 75, 135, 195]);
  expect(await ask()).toMatchObject({ kind: 'denied', status: 401 });
});

it('uses a new key immediately, and makes short pauses again after a success', async () => {
  await minutesAsked(60);
  await setKey('web-service-key');
  expect(await ask()).toMatchObject({ kind: 'ok' });
  await setKey('login-password');
  clock.advance(5 * MINUTE);
  expect(await minutesAsked(20)).toEqual([0, 5, 15]);
});

it('makes pauses while the account may not read anything', async () => {
  fac.setFault({ kind: 'status', status: 403 });
  expect(await minutesAsked(30)).toEqual([0, 5, 15]);
});

it('suspects a lockout if a refusal turns into silence, until the unit answers again', async () => {
  const unit = { name: 'fac-1', serial: null, peerSerial: null, licenses: [] };
  const others = { role: null, logSpeaks: false };
  const judged = async (): Promise<unknown> => {
    clock.advance(5 * MINUTE);
    const rest = await ask();
    if (rest === null) throw new Error('Expected an observation');
    return judgeAppliance(rest, { unit, licenseServer: { host: 'fortitokenmobile.fortinet.com', port: 443 } }, others);
  };
  fac.setFault({ kind: 'reset' });
  expect(await judged()).not.toMatchObject([{ kind: 'locked-out' }]);
  fac.setFault({ kind: 'none' });
  expect(await judged()).toMatchObject([{ suggests: 'appliance-access-denied' }]);
  fac.setFault({ kind: 'reset' });
  expect(await judged()).toMatchObject([{ kind: 'locked-out', quote: expect.any(String) as unknown }]);
  expect(await judged()).toMatchObject([{ kind: 'locked-out' }]);
  await setKey('web-service-key');
  fac.setFault({ kind: 'none' });
  await ask();
  fac.setFault({ kind: 'reset' });
  expect(await judged()).not.toMatchObject([{ kind: 'locked-out' }]);
});
