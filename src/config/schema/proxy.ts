import * as z from 'zod';
import { authority, type HostPort } from '../../core/authority.ts';
import { parseHostPort } from './host-port.ts';
import { requireLogin } from './rules.ts';
import { optionalSecret } from './secret.ts';
import { optional, section } from './section.ts';
import { codedText, expected, text } from './values.ts';

const SCHEME = 'http://';

const proxyUrl: z.ZodType<HostPort> = codedText({
  title: 'URL',
  expected: 'a URL with host and port, such as "http://10.0.0.8:3128"',
  parse: (value) =>
    value.startsWith(SCHEME) ? parseHostPort(value.slice(SCHEME.length).replace(/\/$/u, ''), null) : null,
  format: (target) => `${SCHEME}${authority(target)}`,
  // The text is not quoted where it holds a password.
  problem: (value) =>
    value.includes('@')
      ? 'expected a URL without user and password in it: use a section with "url", "user" and "passwordFile"'
      : null,
});

const proxySection = section(
  {
    url: proxyUrl.describe('Its URL, "http://" with host and port.'),
    user: optional(text).describe('User name at the proxy.'),
    password: optionalSecret('password', "File with the user's password."),
  },
  requireLogin,
);

export interface ProxyConfig extends HostPort, Omit<z.output<typeof proxySection>, 'url'> {}

const withLogin = z.codec(proxySection, z.custom<ProxyConfig>(), {
  decode: ({ url, ...login }) => ({ ...url, ...login }),
  encode: ({ host, port, ...login }) => ({ url: { host, port }, ...login }),
});

const withoutLogin = z.codec(proxyUrl, z.custom<ProxyConfig>(), {
  decode: (target) => ({ ...target, user: null, password: null }),
  encode: ({ host, port, user }, { issues }) => {
    if (user !== null) issues.push({ code: 'custom', input: user, message: 'a login takes a section' });
    return { host, port };
  },
});

export const proxy: z.ZodType<ProxyConfig> = z.union(
  [withoutLogin, withLogin],
  expected('a URL such as "http://10.0.0.8:3128", or a section with "url", "user" and "passwordFile"'),
);
