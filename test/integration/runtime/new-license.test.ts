import { expect, it } from 'vitest';
import { createPendingMemory } from '../../../src/connectors/token-counts.ts';
import { ConnectedSystems } from '../../../src/runtime/connected-systems.ts';
import { createFortiAuthenticator } from '../../../src/demo/lab/fortiauthenticator.ts';
import { configOf } from '../../support/config/config-of.ts';
import { CANARY as SECRET } from '../../support/config/config-machine.ts';
import { handClock } from '../../support/time/hand-clock.ts';
import { HOUR, MINUTE } from '../../support/time/units.ts';
import { A, B, memoryFile, startRegistration } from '../../support/connectors/registration-bench.ts';

const SOON = { timeout: 10_000 };

it('looks up a licence that its unit tells of later than it was asked for the first time', async () => {
  const held = (licenseNumber: string) => ({ licenseNumber, serialNumber: 'FAC-VM0000000001', status: 'Registered' });
  await using service = await startRegistration({ licenses: [held(A), held(B)], password: SECRET });
  await using fac = await createFortiAuthenticator({ state: { key: SECRET } });
  const config = await configOf({
    appliances: [
      { name: 'fac-1', api: { url: fac.url, user: 'monitor', keyEnv: 'SET_SECRET', pin: fac.identity.pin } },
    ],
    registration: {
      user: 'api-user',
      passwordEnv: 'SET_SECRET',
      url: service.config.url,
      authUrl: service.config.authUrl,
      caFile: service.config.caFile,
    },
    // The next date is so far away that the registration service is asked only because of the unit's answers.
    schedule: { appliance: '0 0 * * * *', registration: '0 0 0 1 1 *' },
  });
  const clock = handClock(Date.now());
  const monitor = new ConnectedSystems(config, {
    clock,
    env: { SET_SECRET: SECRET },
    registrationFile: memoryFile(),
    firmwareFacts: [],
    pendingTokens: createPendingMemory({ load: () => Promise.resolve(null), save: () => undefined }),
    onError: (error) => {
      throw error;
    },
    onLag: () => undefined,
    onMissed: () => undefined,
  });
  const lookups = (): readonly string[] => {
    const { registration } = monitor.picture();
    return registration?.kind === 'ok' ? registration.lookups.map(({ license }) => license) : [];
  };
  const passing = (): readonly string[] => {
    clock.advance(1);
    return lookups();
  };
  monitor.start();
  try {
    await expect.poll(passing, SOON).toEqual([A]);
    fac.state.tokens = [...fac.state.tokens, { count: 5, status: 'available', license: B }];
    clock.advance(HOUR + MINUTE);
    await expect.poll(passing, SOON).toEqual([A, B]);
  } finally {
    await monitor.stop();
  }
});
