import { join } from 'node:path';
import type { Identity } from '../../../src/demo/lab/identity.ts';
import { listensIn, startProgram } from '../process/start-program.ts';
import type { Sandbox } from './sandbox.ts';
import { INTERCEPT_PORT } from './squid.ts';

/** Starts a program that accepts the connections that a gateway redirects to `INTERCEPT_PORT`, until disposal. */
export type StartInterceptor = (gateway: Sandbox) => Promise<AsyncDisposable>;

/**
 * supported_versions (RFC 8446 section 4.2.1): extension 43, two lengths, then the highest version, as sent by
 * OpenSSL.
 */
const OFFERS_TLS13 = '{ req.payload(0,0),hex -m reg 002B00[0-9A-F]{4}0304 }';

/** The chain that a terminating proxy presents to every client, whatever server name is requested. */
export interface ShownChain {
  readonly leaf: Identity;
  /** Certificates sent after the leaf. */
  readonly sent: readonly Identity[];
}

/** Port of a helper of the same program, behind the port to which the gateway redirects. */
const INNER_PORT = INTERCEPT_PORT + 100;

/**
 * SSLsplit copies the server's certificate under its own authority, which it sends as well. Debian's package
 * `sslsplit`.
 */
export function sslsplit(authority: Pick<Identity, 'pem' | 'keyPem'>): StartInterceptor {
  return (gateway) =>
    startWithFiles(
      gateway,
      { 'authority.pem': authority.pem, 'authority.key': authority.keyPem },
      (file) =>
        `sslsplit -D -c ${file('authority.pem')} -k ${file('authority.key')} ` +
        `ssl 0.0.0.0 ${String(INTERCEPT_PORT)} netfilter`,
    );
}

/** HAProxy terminates TLS with its own certificate and connects to the original destination. */
export function haproxy(shown: ShownChain): StartInterceptor {
  return (gateway) =>
    startWithFiles(
      gateway,
      {
        'shown.pem': pemOf(shown),
        'haproxy.cfg': haproxyConfiguration(`bind :${String(INTERCEPT_PORT)} ssl crt shown.pem`),
      },
      runHaproxy,
    );
}

/** HAProxy that forwards clients that offer TLS 1.3, and silently closes all other connections. */
export function haproxyWithoutTls12(): StartInterceptor {
  const configuration = `
defaults
  mode tcp
  timeout connect 5s
  timeout client 10s
  timeout server 10s
frontend choice
  bind :${String(INTERCEPT_PORT)}
  tcp-request inspect-delay 5s
  tcp-request content accept if ${OFFERS_TLS13}
  tcp-request content reject if { req.ssl_hello_type 1 }
  default_backend straight
backend straight
  server there 0.0.0.0:0
`;
  return (gateway) => startWithFiles(gateway, { 'haproxy.cfg': configuration }, runHaproxy);
}

/**
 * HAProxy that inspects TLS 1.2 and forwards clients that offer TLS 1.3, as devices do that cannot inspect the newer
 * version.
 */
export function haproxyForTls12(shown: ShownChain): StartInterceptor {
  const choice = `
frontend choice
  bind :${String(INTERCEPT_PORT)}
  tcp-request inspect-delay 5s
  tcp-request content accept if { req.ssl_hello_type 1 }
  use_backend straight if ${OFFERS_TLS13}
  default_backend inspection
backend straight
  server there 0.0.0.0:0
backend inspection
  server here 127.0.0.1:${String(INNER_PORT)} send-proxy-v2
`;
  const bind = `bind 127.0.0.1:${String(INNER_PORT)} accept-proxy ssl crt shown.pem`;
  return (gateway) =>
    startWithFiles(
      gateway,
      { 'shown.pem': pemOf(shown), 'haproxy.cfg': haproxyConfiguration(bind) + choice },
      runHaproxy,
    );
}

function haproxyConfiguration(bind: string): string {
  return `
defaults
  mode tcp
  timeout connect 5s
  timeout client 10s
  timeout server 10s
frontend inspection
  ${bind}
  default_backend origin
backend origin
  server origin 0.0.0.0:0 ssl verify none sni ssl_fc_sni
`;
}

/** nginx as a reverse proxy with its own certificate, in front of one server. Debian's package `nginx-light`. */
export function nginx(shown: ShownChain, origin: string): StartInterceptor {
  const configuration = `
daemon off;
worker_processes 1;
error_log stderr;
pid nginx.pid;
events {}
http {
  access_log off;
  client_body_temp_path body;
  proxy_temp_path proxy;
  fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
  server {
    listen ${String(INTERCEPT_PORT)} ssl;
    ssl_certificate shown.pem;
    ssl_certificate_key shown.pem;
    location / {
      proxy_pass https://${origin}:443;
      proxy_ssl_verify off;
    }
  }
}
`;
  return (gateway) =>
    startWithFiles(
      gateway,
      { 'shown.pem': pemOf(shown), 'nginx.conf': configuration },
      (file) => `nginx -p ${file('.')} -e stderr -c ${file('nginx.conf')}`,
    );
}

/** stunnel terminates TLS and encrypts again, with one process for both directions. Debian's package `stunnel4`. */
export function stunnel(shown: ShownChain, origin: string): StartInterceptor {
  const configuration = `
foreground = yes
pid =
[inside]
accept = ${String(INTERCEPT_PORT)}
connect = 127.0.0.1:${String(INNER_PORT)}
cert = shown.pem
[outside]
client = yes
accept = 127.0.0.1:${String(INNER_PORT)}
connect = ${origin}:443
`;
  return (gateway) =>
    startWithFiles(
      gateway,
      { 'shown.pem': pemOf(shown), 'stunnel.conf': configuration },
      (file) =>
        // It reads the certificate from its working directory.
        `env -C ${file('.')} stunnel stunnel.conf`,
    );
}

/** Returns the key and the chain in one file, as all of these programs expect it. */
function pemOf({ leaf, sent }: ShownChain): string {
  return [leaf.pem, ...sent.map(({ pem }) => pem), leaf.keyPem].join('');
}

type CommandIn = (file: (name: string) => string) => string;

const runHaproxy: CommandIn = (file) => `haproxy -db -C ${file('.')} -f ${file('haproxy.cfg')}`;

/** Starts the program with a separate folder, which is deleted with it. */
function startWithFiles(
  gateway: Sandbox,
  files: Readonly<Record<string, string>>,
  command: CommandIn,
): Promise<AsyncDisposable> {
  return startProgram((folder) => ({
    command: command((name) => join(folder, name)).split(' '),
    config: files,
    readyWhen: listensIn(gateway, INTERCEPT_PORT),
    sandbox: gateway,
  }));
}
