import { isIP } from 'node:net';
import * as z from 'zod';
import type { FamilyChoice } from '../../core/addresses.ts';
import type { HostPort, LicenseServerConfig, ProxyConfig } from '../config.ts';
import { parseHostPort } from '../host-port.ts';
import { expectedMessage } from '../../text/show.ts';
import type { SchemaContext } from './context.ts';
import { secretFile, secretFrom, secretVariable } from './files.ts';
import { list, requireLogin, ruled, section } from './rules.ts';
import { addressBlock, expected, host, hostName, port, text } from './values.ts';

const HOST = 'fortitokenmobile.fortinet.com';
const ADDRESSES: readonly string[] = ['173.243.138.84', '173.243.138.0/24'];
const PROXY_SCHEME = 'http://';

export function licenseServer(context: SchemaContext): z.ZodType<LicenseServerConfig> {
  const path = 'a path that begins with "/"';
  return section({
    host: host()
      .prefault(HOST)
      .describe('The server that activates and provisions FortiToken Mobile tokens, as FortiAuthenticator is set up.'),
    port: port().prefault(443).describe('Its TCP port.'),
    serverName: serverName().describe(
      'Name sent in the TLS hello (SNI). Without it the host name is sent, and none where the host is an address; ' +
        'null sends none.',
    ),
    path: z
      .string(expected(path))
      .regex(/^\/[!-~]{0,500}$/u, expected(path))
      .meta({ title: 'path' })
      .prefault('/')
      .describe('Path of the HTTP probe. Any answer below status 500 counts as alive.'),
    expectedAddresses: list(addressBlock())
      .meta({ absent: ADDRESSES })
      .optional()
      .describe(
        'Addresses and CIDR blocks that resolvers may answer with: any other public address is a warning, a ' +
          'private one a hijacked answer. Single addresses are also dialled when no resolver answers. The default is ' +
          "Fortinet's network; for another host it is empty, and any public address is accepted.",
      ),
    family: family()
      .prefault('auto')
      .describe(
        'Family of the addresses that FortiAuthenticator uses: 4 or 6 dials no other. With "auto", IPv4 decides ' +
          'where the name has IPv4 addresses and this machine a route for them, and what is wrong with IPv6 alone is ' +
          'a warning.',
      ),
    proxy: proxy(context)
      .optional()
      .describe(
        'HTTP proxy that FortiAuthenticator reaches the server through (CONNECT). A URL, or a section where the ' +
          'proxy asks for a password.',
      ),
  }).transform((section) => ({
    ...section,
    serverName: resolveServerName(section.host, section.serverName),
    expectedAddresses: section.expectedAddresses ?? (section.host === HOST ? ADDRESSES : []),
    proxy: section.proxy ?? null,
  }));
}

/** `undefined`: the host's own name. */
export function serverName(): z.ZodType<string | null | undefined> {
  return hostName().nullable().optional();
}

/** RFC 6066 §3 allows no addresses in the hello. */
export function resolveServerName(name: string, given: string | null | undefined): string | null {
  return given === undefined ? (isIP(name) === 0 ? name : null) : given;
}

function family(): z.ZodType<FamilyChoice> {
  return z.literal(['auto', 4, 6], expected('"auto", 4 or 6'));
}

function proxy(context: SchemaContext): z.ZodType<ProxyConfig> {
  const withoutPassword = proxyUrl().transform((target) => ({ ...target, user: null, password: null }));
  const withPassword = ruled(
    section({
      url: proxyUrl().describe('Its URL, "http://" with host and port.'),
      user: text().optional().describe('User name at the proxy.'),
      passwordFile: secretFile(context).optional().describe("File with the user's password."),
      passwordEnv: secretVariable(context)
        .optional()
        .describe('Environment variable with the password, instead of the file.'),
    }),
    requireLogin,
  ).transform(({ url, user, passwordFile, passwordEnv }) => ({
    ...url,
    user: user ?? null,
    password: secretFrom(passwordFile, passwordEnv),
  }));
  return z.union(
    [withoutPassword, withPassword],
    expected('a URL such as "http://10.0.0.8:3128", or a section with "url", "user" and "passwordFile"'),
  );
}

function proxyUrl(): z.ZodType<HostPort> {
  const what = 'a URL with host and port, such as "http://10.0.0.8:3128"';
  return z
    .string(expected(what))
    .transform((value, refinement) => {
      const target = value.startsWith(PROXY_SCHEME)
        ? parseHostPort(value.slice(PROXY_SCHEME.length).replace(/\/$/u, ''), null)
        : null;
      if (target !== null) return target;
      // The text is not quoted where it holds a password.
      const message = value.includes('@')
        ? 'expected a URL without user and password in it: use a section with "url", "user" and "passwordFile"'
        : expectedMessage(what, value);
      refinement.addIssue({ code: 'custom', message });
      return z.NEVER;
    })
    .meta({ title: 'URL' });
}
