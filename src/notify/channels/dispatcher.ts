import type { Dispatcher } from 'undici';
import type { ProxyConfig } from '../../config/schema/proxy.ts';
import { authority, isLoopbackUrl } from '../../core/authority.ts';
import { readAuthorities } from '../../network/tls/authorities.ts';
import type { SecretReader } from '../../system/secret.ts';

/** How channels and the heartbeat leave this network. Probes never use it. */
export interface EgressDeps {
  /** `notify.proxy`; null: the environment decides. */
  readonly proxy: ProxyConfig | null;
  /** For HTTPS_PROXY, HTTP_PROXY and NO_PROXY, in small or capital letters. */
  readonly env: NodeJS.ProcessEnv;
  readonly readSecret: SecretReader;
}

/**
 * Connections for requests to `url`, direct or through a proxy. Loopback is never proxied. The caller must destroy it.
 * @param caFile PEM of the authorities to verify under instead of those that Node ships
 * @throws {Error} when `caFile` or the password of the proxy cannot be read, or a variable contains no URL
 */
export async function openDispatcher(url: string, caFile: string | null, deps: EgressDeps): Promise<Dispatcher> {
  const { Agent, EnvHttpProxyAgent } = await import('undici');
  const tls = caFile === null ? {} : { ca: [...(await readAuthorities(caFile)).pems] };
  const options = { connect: tls, pipelining: 0 };
  if (isLoopbackUrl(url)) return new Agent(options);
  // It takes empty text for no proxy, and only what is missing from the environment of this process.
  return new EnvHttpProxyAgent({ ...options, requestTls: tls, ...(await proxiesOf(deps)) });
}

/** The configured proxy as messages name it: `(through the proxy 10.0.0.8:3128)`. */
export function throughProxy(url: string, { proxy }: EgressDeps): string {
  return proxy === null || isLoopbackUrl(url) ? '' : ` (through the proxy ${authority(proxy)})`;
}

interface Proxies {
  readonly httpProxy: string;
  readonly httpsProxy: string;
  readonly noProxy: string;
  readonly token?: string;
}

async function proxiesOf({ proxy, env, readSecret }: EgressDeps): Promise<Proxies> {
  const variable = (name: string): string => env[name.toLowerCase()] ?? env[name] ?? '';
  if (proxy === null)
    return { httpProxy: variable('HTTP_PROXY'), httpsProxy: variable('HTTPS_PROXY'), noProxy: variable('NO_PROXY') };
  const url = `http://${authority(proxy)}`;
  const { user, password } = proxy;
  if (user === null || password === null) return { httpProxy: url, httpsProxy: url, noProxy: '' };
  const token = `Basic ${Buffer.from(`${user}:${await readSecret(password)}`, 'utf8').toString('base64')}`;
  return { httpProxy: url, httpsProxy: url, noProxy: '', token };
}
