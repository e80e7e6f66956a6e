import * as z from 'zod';
import { proxy } from '../../config/schema/proxy.ts';
import { completed, optional, section } from '../../config/schema/section.ts';
import { serverName, serverNameOf } from '../../config/schema/server-name.ts';
import { addressBlock, expected, host, port, urlPath, unquoted } from '../../config/schema/values.ts';

const HOST = 'fortitokenmobile.fortinet.com';
const ADDRESSES: readonly string[] = ['173.243.138.84', '173.243.138.0/24'];

const addresses: z.ZodType<readonly string[]> = z.array(addressBlock, expected('a list'));

export type LicenseServerConfig = z.output<typeof licenseServer>;

export const licenseServer = completed(
  section({
    host: host
      .prefault(HOST)
      .describe('The server that activates and provisions FortiToken Mobile tokens, as FortiAuthenticator is set up.'),
    port: port.prefault(443).describe('Its TCP port.'),
    serverName: serverName.describe(
      'Name sent in the TLS hello (SNI). Without it the host name is sent, and none where the host is an address; ' +
        'null sends none.',
    ),
    path: urlPath.prefault('/').describe('Path of the HTTP probe. Any answer below status 500 counts as alive.'),
    expectedAddresses: addresses
      .meta({ default: ADDRESSES })
      .optional()
      .describe(
        'Addresses and CIDR blocks that resolvers may answer with: any other public address is a warning, a ' +
          'private one a hijacked answer. Single addresses are also dialled when no resolver answers. The default is ' +
          "Fortinet's network; for another host it is empty, and any public address is accepted.",
      ),
    family: z
      .literal(
        ['auto', 4, 6],
        unquoted('"auto", 4 or 6', (value) => value === '4' || value === '6'),
      )
      .prefault('auto')
      .describe(
        'Family of the addresses that FortiAuthenticator uses: 4 or 6 dials no other. With "auto", IPv4 decides ' +
          'where the name has IPv4 addresses and this machine a route for them, and what is wrong with IPv6 alone is ' +
          'a warning.',
      ),
    proxy: optional(proxy).describe(
      'HTTP proxy that FortiAuthenticator reaches the server through (CONNECT). A URL, or a section where the ' +
        'proxy asks for a password.',
    ),
  }),
  (given) => ({
    ...given,
    serverName: serverNameOf(given),
    expectedAddresses: given.expectedAddresses ?? (given.host === HOST ? ADDRESSES : []),
  }),
);
