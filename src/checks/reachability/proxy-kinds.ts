import type { KindWords } from '../../engine/words/cause-words.ts';
import { shell } from '../../engine/words/step.ts';

/**
 * Kinds of `egress-blocked` behind a proxy. `through-proxy`: the proxy gives no answer; the others by what it answers:
 * it demands a login, rejects the one that is set, offers none that can be made, is no proxy, refuses the target, or
 * cannot reach it itself.
 */
export type ProxyKind =
  | 'through-proxy'
  | 'proxy-login'
  | 'proxy-login-rejected'
  | 'proxy-login-scheme'
  | 'proxy-is-server'
  | 'proxy-refuses'
  | 'proxy-cannot-connect';

const ASK = shell('Ask the proxy itself.', 'curl -v -x http://{proxy} https://{server}/');

const EXEMPT =
  'Or exempt the addresses of FortiAuthenticator and of this machine from the login, for {host} at least: most proxies ' +
  'can do that by source address.';

const DOES_NOT_CONNECT = 'The proxy {proxy} does not connect to {subject}.';

export const PROXY_KINDS: Readonly<Record<ProxyKind, KindWords>> = {
  'through-proxy': {
    title: 'the proxy gives no answer',
    summary: DOES_NOT_CONNECT,
    remedy: [
      shell(
        'Make sure that licenseServer.proxy here and the proxy on FortiAuthenticator are right, then ask the proxy ' +
          'itself.',
        'curl -v -x http://{proxy} https://{server}/',
      ),
      'No answer or "refused" from it: the proxy is down, or a firewall between {source} and {proxy} blocks the way.',
      'Silence after the connection: the proxy itself cannot reach the internet or resolve {host}. Check its log and ' +
        'its resolver.',
    ],
  },
  'proxy-login': {
    title: 'the proxy demands a login',
    summary: 'The proxy {proxy} demands a login before it connects to {subject}.',
    remedy: [
      'Set licenseServer.proxy.user and passwordFile here, and the same login on FortiAuthenticator.',
      EXEMPT,
      ASK,
    ],
  },
  'proxy-login-rejected': {
    title: 'the proxy rejects the login',
    summary: 'The proxy {proxy} rejects the user and the password that are set, and does not connect to {subject}.',
    remedy: [
      'Check on the proxy whether the account is locked or expired, and whether it may use CONNECT.',
      'Correct the password in the file that licenseServer.proxy.passwordFile names, and on FortiAuthenticator.',
      EXEMPT,
    ],
  },
  'proxy-login-scheme': {
    title: 'the proxy offers no login by user and password',
    summary: 'The proxy {proxy} demands a login by {found} before it connects to {subject}.',
    remedy: [
      'A user and a password are sent as Basic, which the proxy does not offer: setting them does not help.',
      'Exempt the addresses of FortiAuthenticator and of this machine from the login, for {host} at least: most proxies ' +
        'can do that by source address.',
      'Or let the proxy offer Basic to these two addresses, and set licenseServer.proxy.user and passwordFile.',
    ],
  },
  'proxy-is-server': {
    title: 'it answers as a web server',
    summary: '{proxy} answers CONNECT with status 401, as a web server does and a proxy does not.',
    remedy: [
      'See whether {proxy} is the address and the port of the proxy: a proxy that demands a login says 407. The ' +
        'administration or a web server may listen there.',
      ASK,
      'If it is the proxy, read its answer in the evidence: it demands a login that it does not announce as a proxy.',
    ],
  },
  'proxy-refuses': {
    title: 'the proxy refuses',
    summary: DOES_NOT_CONNECT,
    remedy: [
      'On the proxy, allow CONNECT to {host}, TCP {port}, from {source}, without inspection. Its page in the evidence ' +
        'often names the rule or the category.',
      ASK,
    ],
  },
  'proxy-cannot-connect': {
    title: 'the proxy cannot reach the server',
    summary: 'The proxy {proxy} answers, but does not reach {subject} itself.',
    remedy: [
      'Check the log of the proxy, its resolver, and the firewall between it and the internet.',
      'On that firewall allow TCP {port} to {host} from the address of the proxy.',
      ASK,
    ],
  },
};
