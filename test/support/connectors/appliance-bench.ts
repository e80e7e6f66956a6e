import { observeAppliance } from '../../../src/connectors/appliances.ts';
import type { ApplianceApiConfig } from '../../../src/config/schema/watched.ts';
import type { ConnectorContext } from '../../../src/network/rest/json-exchange.ts';
import type { ApplianceFacts, ApplianceObservation } from '../../../src/core/license/appliance.ts';
import type { FortiAuthenticator } from '../../../src/demo/lab/fortiauthenticator.ts';
import { connectorContext } from './connector-context.ts';

const ENV = { FAC_KEY: 'web-service-key', WRONG_KEY: 'login-password' };

/** Returns a configuration with the right key, which trusts the pinned key of the appliance. */
export function apiOf(fac: FortiAuthenticator, more: Partial<ApplianceApiConfig> = {}): ApplianceApiConfig {
  return {
    url: fac.url,
    user: 'monitor',
    key: { kind: 'env', name: 'FAC_KEY' },
    caFile: null,
    pin: fac.identity.pin,
    ...more,
  };
}

export function observeApi(
  api: ApplianceApiConfig,
  context: Partial<ConnectorContext> = {},
): Promise<ApplianceObservation> {
  return observeAppliance({ name: 'fac-1', api }, connectorContext({ env: ENV, ...context }));
}

/** Returns the facts read from an appliance that must answer. */
export async function factsOf(fac: FortiAuthenticator): Promise<ApplianceFacts> {
  const observation = await observeApi(apiOf(fac));
  if (observation.kind !== 'ok') throw new Error(`Expected facts, got ${JSON.stringify(observation)}`);
  return observation;
}
