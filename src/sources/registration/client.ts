import type { RegistrationConfig } from './section.ts';
import type { ConnectorContext } from '../../network/rest/context.ts';
import { createSecretFilter } from '../../core/without-secrets.ts';
import { httpsOrigin } from '../../network/rest/https-origin.ts';
import { exchangeJson, type JsonReply } from '../../network/rest/json-exchange.ts';
import { createVerifiedAgent } from '../../network/rest/verified-agent.ts';
import { requestOf, type RegistrationOperation } from './operations.ts';

/** Sends the operations of the closed set, each over verified TLS to its own host. */
export interface RegistrationClient extends AsyncDisposable {
  /** @throws see `exchangeJson` */
  send(operation: Extract<RegistrationOperation, { kind: 'token' }>): Promise<JsonReply>;
  /** @throws see `exchangeJson` */
  ask(operation: Exclude<RegistrationOperation, { kind: 'token' }>, token: string): Promise<JsonReply>;
}

/** What a request gets in with. */
interface Access {
  readonly headers: Readonly<Record<string, string>>;
  readonly secret: string;
}

/** @throws {Error} when a URL is not https or `caFile` cannot be used */
export async function createRegistrationClient(
  config: RegistrationConfig,
  context: ConnectorContext,
): Promise<RegistrationClient> {
  const authOrigin = httpsOrigin(config.authUrl);
  const origin = httpsOrigin(config.url);
  const agent = await createVerifiedAgent({ caFile: config.caFile, pin: null });

  function post(target: string, operation: RegistrationOperation, access: Access): Promise<JsonReply> {
    const headers = { 'content-type': 'application/json', ...access.headers };
    return exchangeJson(
      agent,
      target,
      { ...requestOf(operation), method: 'POST', headers, withoutSecrets: createSecretFilter([access.secret]) },
      context,
    );
  }

  return {
    send: (operation) => post(authOrigin, operation, { headers: {}, secret: operation.password }),
    ask: (operation, token) =>
      post(origin, operation, { headers: { authorization: `Bearer ${token}` }, secret: token }),
    [Symbol.asyncDispose]: () => agent.destroy(),
  };
}
