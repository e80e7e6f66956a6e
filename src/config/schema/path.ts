import * as z from 'zod';
import { proxy, laterFile, readableFile } from './secret.ts';
import {
  completed,
  optional,
  section,
  serverName,
  serverNameOf,
  addressBlock,
  expected,
  host,
  port,
  urlPath,
  unquoted,
  textAt,
  unique,
  list,
  choice,
  name,
  pin,
} from './section.ts';

const HOST = 'fortitokenmobile.fortinet.com';
const ADDRESSES: readonly string[] = ['173.243.138.84', '173.243.138.0/24'];

const addresses: z.ZodType<readonly string[]> = z.array(addressBlock, expected('a list'));

export type LicenseServerConfig = z.output<typeof licenseServer>;

export const licenseServer = completed(
  section({
    host: host
      .prefault(HOST)
      .describe('Server that activates and provisions FortiToken Mobile tokens, as configured in FortiAuthenticator.'),
    port: port.prefault(443).describe('TCP port to connect to.'),
    serverName: serverName.describe(
      'Server name sent in the TLS handshake (SNI). The default is the host name. If the host is an address or this ' +
        'key is null, no server name is sent.',
    ),
    path: urlPath.prefault('/').describe('Path that the HTTP probe requests. Any status below 500 counts as success.'),
    expectedAddresses: addresses
      .meta({ default: ADDRESSES })
      .optional()
      .describe(
        'Addresses and CIDR blocks that resolvers are expected to return. Any other public address raises a warning. ' +
          'A private address counts as a hijacked answer. If no resolver answers, the listed individual addresses ' +
          "are probed. The default is Fortinet's network. For any other host, the default is empty, and any public " +
          'address is accepted.',
      ),
    family: z
      .literal(
        ['auto', 4, 6],
        unquoted('"auto", 4 or 6', (value) => value === '4' || value === '6'),
      )
      .prefault('auto')
      .describe(
        'Address family that FortiAuthenticator uses. If 4 or 6, only that family is checked. If "auto", IPv4 ' +
          'determines the result if the name has IPv4 addresses and this machine has a route to them. In that case, ' +
          'faults that affect only IPv6 are warnings.',
      ),
    proxy: optional(proxy).describe(
      'HTTP proxy through which FortiAuthenticator reaches the server (CONNECT). Use a URL, or a section if the ' +
        'proxy requires a password.',
    ),
  }),
  (given) => ({
    ...given,
    serverName: serverNameOf(given),
    expectedAddresses: given.expectedAddresses ?? (given.host === HOST ? ADDRESSES : []),
  }),
);

const trustProfile = choice('fortinet', 'public', 'pinned');
const pins = list(pin);
const caFiles = list(readableFile);

export type TrustConfig = z.output<typeof trust>;

export const trust = section({
  profile: trustProfile
    .prefault('fortinet')
    .describe(
      "How the licence server's certificate is verified. " +
        '"fortinet" uses the keys of authorities that belong to Fortinet, "public" uses the authorities that ' +
        'browsers trust, and "pinned" uses only pins, files and learned keys.',
    ),
  pins: pins.describe('Additional trusted public keys, as SHA-256 hashes of the SubjectPublicKeyInfo.'),
  caFiles: caFiles.describe('Additional root certificates, in PEM format.'),
  baselineFile: laterFile
    .prefault('data/trust-baseline.json')
    .describe('File in which "ftm-watch trust learn" stores the chain that it received on a clean path.'),
  productFiles: list(readableFile).describe(
    'Additional inspection products, in the format of config/inspection-products.yaml.',
  ),
});

const CARRIERS = ['push', 'sms', 'answers', 'fortigate', 'cloud'] as const;

const knownName = choice('push', 'sms', 'directregistration', 'globalftm', 'fortitoken-cloud');

export type Carrier = (typeof CARRIERS)[number];

const service = completed(
  section({
    name: name.describe('Unique name of the service in messages and metrics.'),
    host: host.describe('Host name or address of the service.'),
    port: port.prefault(443).describe('TCP port to connect to.'),
    serverName: serverName.describe(
      'Server name sent in the TLS handshake. The default is the host. If null, no server name is sent.',
    ),
    trust: section({
      profile: trustProfile
        .prefault('public')
        .describe("How the service's certificate is verified, as in `trust.profile`."),
      pins: pins.describe('Trusted public keys, as in `trust.pins`.'),
      caFiles: caFiles.describe('Root certificates, in PEM format.'),
    })
      .prefault({})
      .describe("How the service's certificate is verified."),
    carries: optional(choice(...CARRIERS)).describe(
      'What the service is used for, as described in messages: "push" for push notifications, "sms" for text ' +
        'messages, "answers" for the public name of FortiAuthenticator to which phones send their answers, ' +
        '"fortigate" for the activation of tokens on a FortiGate, and "cloud" for FortiToken Cloud.',
    ),
    severity: choice('critical', 'warning', 'info')
      .prefault('warning')
      .describe(
        'Severity of faults that affect the service. By default, such faults are warnings, because activation does ' +
          'not need the service.',
      ),
  }),
  (given) => ({ ...given, serverName: serverNameOf(given) }),
);

export type ServiceConfig = z.output<typeof service>;

/** Fortinet does not document which CA issues these certificates. */
function known(name: string, hostName: string, carries: Carrier): ServiceConfig {
  const trust = { profile: 'public', pins: [], caFiles: [] } as const;
  return { name, host: hostName, port: 443, serverName: hostName, trust, severity: 'warning', carries };
}

/**
 * Fortinet's hosts for push notifications (ta-p/333425), SMS through FortiGuard (ta-p/117091), tokens on a FortiGate
 * (ta-p/194508; docs:fortigate/7.0.14/administration-guide/180506) and FortiToken Cloud (ta-p/275159).
 */
const KNOWN: Readonly<Record<z.output<typeof knownName>, ServiceConfig>> = {
  push: known('push', 'push.fortinet.com', 'push'),
  sms: known('sms', 'msgctrl1.fortinet.com', 'sms'),
  directregistration: known('directregistration', 'directregistration.fortinet.com', 'fortigate'),
  globalftm: known('globalftm', 'globalftm.fortinet.net', 'fortigate'),
  'fortitoken-cloud': known('fortitoken-cloud', 'ftc.fortinet.com', 'cloud'),
};

/** The name is printed as a section that contains all settings. */
const knownService: z.ZodType<ServiceConfig> = z.codec(knownName, z.custom<ServiceConfig>(), {
  decode: (given) => KNOWN[given],
  encode: (value, { issues }) => {
    issues.push({ code: 'custom', input: value, message: 'it is printed as a section' });
    return z.NEVER;
  },
});

const knownOrSection = z.union([service, knownService], expected('a section (keys and values), or a name like "push"'));

export const services = unique(list(knownOrSection), textAt('name'));
