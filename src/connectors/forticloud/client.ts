import type { RegistrationConfig } from '../../config/config.ts';
import type { ConnectorContext } from '../context.ts';
import { httpsOrigin } from '../https-origin.ts';
import { exchangeJson } from '../json-exchange.ts';
import type { JsonReply } from '../json-exchange.ts';
import { createVerifiedAgent } from '../verified-agent.ts';
import { requestOf } from './operations.ts';
import type { RegistrationOperation } from './operations.ts';

/** Sends the operations of the closed set, each over verified TLS to its own host. */
export interface RegistrationClient extends AsyncDisposable {
  /** @throws see `exchangeJson` */
  send(operation: Extract<RegistrationOperation, { kind: 'token' }>): Promise<JsonReply>;
  /** @throws see `exchangeJson` */
  ask(operation: Exclude<RegistrationOperation, { kind: 'token' }>, token: string): Promise<JsonReply>;
}

/** @throws {Error} when a URL is not https or `caFile` cannot be used */
export async function createRegistrationClient(config: RegistrationConfig, context: ConnectorContext): Promise<RegistrationClient> {
  const authOrigin = httpsOrigin(config.authUrl);
  const origin = httpsOrigin(config.url);
  const agent = await createVerifiedAgent({ caFile: config.caFile, pin: null });

  function post(target: string, operation: RegistrationOperation, headers: Readonly<Record<string, string>>): Promise<JsonReply> {
    const request = { ...requestOf(operation), method: 'POST', headers: { 'content-type': 'application/json', ...headers } } as const;
    return exchangeJson(agent, target, request, context);
  }

  return {
    send: (operation) => post(authOrigin, operation, {}),
    ask: (operation, token) => post(origin, operation, { authorization: `Bearer ${token}` }),
    [Symbol.asyncDispose]: () => agent.destroy(),
  };
}
