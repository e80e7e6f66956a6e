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
  readonly authorization: string;
  /** See `JsonRequest`. */
  readonly secrets: readonly string[];
}

/** @throws {Error} when the URL is not https or `caFile` cannot be used */
export async function createHttpGetter(options: HttpGetterOptions, context: ExchangeContext): Promise<HttpGetter> {
  const { authorization, secrets } = options;
  const origin = httpsOrigin(options.url);
  const agent = await createVerifiedAgent(options.trust);
  return {
    get: (path) => exchangeJson(agent, origin, { method: 'GET', path, headers: { authorization }, secrets }, context),
    [Symbol.asyncDispose]: () => agent.destroy(),
  };
}
