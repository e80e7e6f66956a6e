import { createSecretFilter } from '../../core/without-secrets.ts';
import { exchangeJson, type ExchangeContext, type JsonReply } from './json-exchange.ts';
import { httpsOrigin } from './https-origin.ts';
import { createVerifiedAgent, type TlsTrust } from './verified-agent.ts';

/**
 * A client that can read and nothing else: no method, no body can be said. On a FortiAuthenticator a POST to the
 * licence resource activates a licence.
 */
export interface HttpGetter extends AsyncDisposable {
  /**
   * @param path begins with a slash and may carry a query
   * @throws see `exchangeJson`
   */
  get(path: string): Promise<JsonReply>;
}

export interface HttpGetterOptions {
  readonly url: string;
  readonly trust: TlsTrust;
  /** The header `Authorization`; null: anybody may read. */
  readonly authorization: string | null;
  /** What of the request must not come back in an answer. */
  readonly secrets: readonly string[];
}

/** @throws {Error} when the URL is not https or `caFile` cannot be used */
export async function createHttpGetter(options: HttpGetterOptions, context: ExchangeContext): Promise<HttpGetter> {
  const head = {
    headers: options.authorization === null ? {} : { authorization: options.authorization },
    withoutSecrets: createSecretFilter(options.secrets),
  };
  const origin = httpsOrigin(options.url);
  const agent = await createVerifiedAgent(options.trust);
  return {
    get: (path) => exchangeJson(agent, origin, { ...head, method: 'GET', path }, context),
    [Symbol.asyncDispose]: () => agent.destroy(),
  };
}
