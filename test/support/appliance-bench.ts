import { observeAppliance } from '../../src/connectors/appliances.ts';
import type { ApplianceApiConfig } from '../../src/config/schema/connectors.ts';
import type { ConnectorContext } from '../../src/network/rest/json-exchange.ts';
import type { ApplianceFacts, ApplianceObservation } from '../../src/core/license/appliance.ts';
import type { FortiAuthenticator } from '../lab/fortiauthenticator.ts';
import { connectorContext } from './connector-context.ts';

const ENV = { FAC_KEY: 'web-service-key', WRONG_KEY: 'login-password' };

/** The right key, and trust by the pin of its own key. */
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

/** What it says when it must answer. */
export async function factsOf(fac: FortiAuthenticator): Promise<ApplianceFacts> {
  const observation = await observeApi(apiOf(fac));
  if (observation.kind !== 'ok') throw new Error(`Expected facts, got ${JSON.stringify(observation)}`);
  return observation;
}
