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
      .describe(
        'The server that activates and provisions FortiToken Mobile tokens, as configured in FortiAuthenticator.',
      ),
    port: port.prefault(443).describe('Its TCP port.'),
    serverName: serverName.describe(
      'Name sent in the TLS hello (SNI). The default is the host name, or none if the host is an address; null ' +
        'sends none.',
    ),
    path: urlPath.prefault('/').describe('Path of the HTTP probe. Any status below 500 is a success.'),
    expectedAddresses: addresses
      .meta({ default: ADDRESSES })
      .optional()
      .describe(
        'Addresses and CIDR blocks that resolvers may return. Another public address is a warning, a private one ' +
          "a hijacked answer. Single addresses are also used if no resolver answers. The default is Fortinet's " +
          'network; for another host it is empty, and any public address is accepted.',
      ),
    family: z
      .literal(
        ['auto', 4, 6],
        unquoted('"auto", 4 or 6', (value) => value === '4' || value === '6'),
      )
      .prefault('auto')
      .describe(
        'Address family that FortiAuthenticator uses. 4 and 6 use no other. With "auto", IPv4 decides if the name ' +
          'has IPv4 addresses and this machine has a route for them, and faults of IPv6 alone are warnings.',
      ),
    proxy: optional(proxy).describe(
      'HTTP proxy that FortiAuthenticator uses to reach the server (CONNECT). A URL, or a section if the proxy ' +
        'needs a password.',
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
      "What makes the licence server's certificate genuine. fortinet: Fortinet's own authorities, by key. " +
        'public: the authorities that browsers trust. pinned: only pins, files and learned keys.',
    ),
  pins: pins.describe('Additional public keys to trust, as SHA-256 of the SubjectPublicKeyInfo.'),
  caFiles: caFiles.describe('PEM files with additional root certificates.'),
  baselineFile: laterFile
    .prefault('data/trust-baseline.json')
    .describe('File in which "ftm-watch trust learn" stores the chain from a clean path.'),
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
    host: host.describe('Its host.'),
    port: port.prefault(443).describe('Its TCP port.'),
    serverName: serverName.describe('Name sent in the TLS hello. The default is the host; null sends none.'),
    trust: section({
      profile: trustProfile.prefault('public').describe('What makes its certificate genuine, as in trust.profile.'),
      pins: pins.describe('Public keys to trust, as in trust.pins.'),
      caFiles: caFiles.describe('PEM files with root certificates.'),
    })
      .prefault({})
      .describe('How its certificate is judged.'),
    carries: optional(choice(...CARRIERS)).describe(
      'What the service is for, so that messages can say so. push: push notifications. sms: SMS. answers: the ' +
        'public name of FortiAuthenticator, where phones answer push notifications. fortigate: activation of ' +
        'tokens that a FortiGate holds. cloud: FortiToken Cloud.',
    ),
    severity: choice('critical', 'warning', 'info')
      .prefault('warning')
      .describe('Severity of its faults. Activation needs only the licence server, so the default is a warning.'),
  }),
  (given) => ({ ...given, serverName: serverNameOf(given) }),
);

export type ServiceConfig = z.output<typeof service>;

/** It is not documented which authority issues the certificates of these hosts. */
function known(name: string, hostName: string, carries: Carrier): ServiceConfig {
  const trust = { profile: 'public', pins: [], caFiles: [] } as const;
  return { name, host: hostName, port: 443, serverName: hostName, trust, severity: 'warning', carries };
}

/**
 * Vendor hosts: push notifications (ta-p/333425), SMS through FortiGuard (ta-p/117091), tokens of a FortiGate
 * (ta-p/194508; docs:fortigate/7.0.14/administration-guide/180506), FortiToken Cloud (ta-p/275159).
 */
const KNOWN: Readonly<Record<z.output<typeof knownName>, ServiceConfig>> = {
  push: known('push', 'push.fortinet.com', 'push'),
  sms: known('sms', 'msgctrl1.fortinet.com', 'sms'),
  directregistration: known('directregistration', 'directregistration.fortinet.com', 'fortigate'),
  globalftm: known('globalftm', 'globalftm.fortinet.net', 'fortigate'),
  'fortitoken-cloud': known('fortitoken-cloud', 'ftc.fortinet.com', 'cloud'),
};

/** Printed as a section, which shows the full settings. */
const knownService: z.ZodType<ServiceConfig> = z.codec(knownName, z.custom<ServiceConfig>(), {
  decode: (given) => KNOWN[given],
  encode: (value, { issues }) => {
    issues.push({ code: 'custom', input: value, message: 'it is printed as a section' });
    return z.NEVER;
  },
});

const knownOrSection = z.union([service, knownService], expected('a section (keys and values), or a name like "push"'));

/** Other hosts that FortiAuthenticator connects to. */
export const services = unique(list(knownOrSection), textAt('name'));
