import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createFortiAuthenticator } from '../../../src/demo/lab/fortiauthenticator.ts';
import type { FortiAuthenticator } from '../../../src/demo/lab/fortiauthenticator.ts';
import { createLab } from '../../../src/demo/lab/lab.ts';
import { LICENSE, SERIALS } from '../../../src/demo/lab/site.ts';
import { type CheckResult, conclusionOf, READY, readyWithWarning } from '../../support/process/check-result.ts';
import { checkLab, watchLab } from '../../support/network/lab-check.ts';

const LIMIT_MS = 20_000;
const OFTEN = { probes: '* * * * * *', appliance: '* * * * * *', registration: '0 0 0 1 1 *' };

let second: FortiAuthenticator;

const lab = await createLab();

beforeAll(async () => {
  const { state } = lab.appliance;
  second = await createFortiAuthenticator({ state: { ...state, serial: SERIALS.peer, peerSerial: SERIALS.unit } });
});
afterAll(async () => {
  await second[Symbol.asyncDispose]();
  await lab[Symbol.asyncDispose]();
});
beforeEach(() => {
  lab.appliance.state.peerSerial = SERIALS.peer;
});

/** Nothing listens on this port. */
const DOWN = 'https://127.0.0.1:1';

/** Both units without a log, so that only their APIs show whether they run. */
function units(own: object, peer: object): readonly object[] {
  const apiOf = ({ url, state, identity }: FortiAuthenticator): object => ({
    url,
    user: state.user,
    keyFile: 'fac-key',
    pin: identity.pin,
  });
  const unitOf = (name: string, { url, ...more }: { readonly url?: string }, fac: FortiAuthenticator): object => ({
    name,
    licenses: [LICENSE],
    ...more,
    api: { ...apiOf(fac), ...(url === undefined ? {} : { url }) },
  });
  return [unitOf('fac-1', own, lab.appliance), unitOf('fac-2', peer, second)];
}

const FIRST = { serial: SERIALS.unit, peerSerial: SERIALS.peer };
const SECOND = { serial: SERIALS.peer };
const SECOND_DOWN = { ...SECOND, url: DOWN };

async function checked(own: object, peer: object): Promise<CheckResult> {
  return checkLab(lab, { appliances: units(own, peer), logs: {} });
}

function causesOf({ causes }: CheckResult): readonly string[] {
  return causes.map(({ severity, id, subject }) => `${severity} ${id} ${subject}`);
}

describe('one of two units does not answer', () => {
  test('and both are a pair: ready, with a warning', async () => {
    expect(conclusionOf(await checked(FIRST, SECOND))).toEqual(READY);
    const silent = await checked(FIRST, SECOND_DOWN);
    expect(conclusionOf(silent)).toEqual(readyWithWarning('appliance-unreachable'));
    expect(silent.causes).toMatchObject([{ subject: 'fac-2', peer: 'fac-1' }]);
  });

  test('and only the API of the other one reports the pair: ready, with a warning', async () => {
    expect(conclusionOf(await checked({}, { url: DOWN }))).toEqual(readyWithWarning('appliance-unreachable'));
  });

  test('and they are no pair: not ready', async () => {
    lab.appliance.state.peerSerial = '';
    const alone = await checked({ serial: SERIALS.unit }, { ...SECOND_DOWN, licenses: [] });
    expect([alone.ready, ...causesOf(alone)]).toEqual(['not-ready', 'critical appliance-unreachable fac-2']);
  });
});

test('none of a pair answers: not ready, with both units', async () => {
  const silent = await checked({ ...FIRST, url: DOWN }, SECOND_DOWN);
  expect([silent.ready, ...causesOf(silent)]).toEqual([
    'not-ready',
    'critical appliance-unreachable fac-1',
    'critical appliance-unreachable fac-2',
  ]);
});

test('the mail names both units in the subject', async () => {
  const store = { path: 'pair/history.sqlite' };
  const appliances = units(FIRST, SECOND_DOWN);
  await using daemon = await watchLab(lab, { appliances, logs: {}, schedule: OFTEN, store });
  const mail = await lab.inbox.mail(
    ({ event, cause }) => event === 'firing' && cause === 'appliance-unreachable',
    AbortSignal.timeout(LIMIT_MS),
  );
  expect(mail.subject).toMatch(/fac-2 .*fac-1/u);
  const { causes } = await daemon.diagnosis(({ ready }) => ready === 'ready');
  expect(causes).toMatchObject([{ id: 'appliance-unreachable', severity: 'warning' }]);
});
