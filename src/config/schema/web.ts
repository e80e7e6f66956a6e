import type * as z from 'zod';
import { hostPort, listenAddress } from './endpoints.ts';
import { readableFile } from './files.ts';
import { textAt, unique } from './rules.ts';
import { secret } from './secret.ts';
import { list, optional, section } from './section.ts';
import { lowerHostName, name } from './values.ts';

const HTTPS_PORT = 443;

const tls = section({
  certFile: readableFile.describe('PEM file of the certificate, with its chain.'),
  keyFile: readableFile.describe('PEM file of its private key.'),
});

const user = section({
  name: name.describe('User name.'),
  passwordHash: secret('hash', 'File with the scrypt or bcrypt hash of the password, made as docs/web.md says.'),
});

export type TlsFiles = z.output<typeof tls>;
export type WebConfig = z.output<typeof web>;

export const web = section({
  listen: listenAddress
    .prefault('127.0.0.1:9843')
    .describe(
      'Where to listen. Only this machine can connect by default: configure `tls` and `users` before opening it.',
    ),
  tls: optional(tls).describe('Serve https instead of http.'),
  users: unique(list(user), textAt('name')).describe(
    'Who may see it (basic authentication). Nobody is asked while the list is empty.',
  ),
  hosts: list(lowerHostName).describe(
    'Names under which it may be called without users, beside addresses, localhost and names without a dot. ' +
      'Any other name is refused then: a page on the internet can make its own name point here.',
  ),
  probeTargets: list(hostPort(HTTPS_PORT)).describe(
    'More targets that /probe accepts, beside those of this configuration. Anything else is refused: a monitor ' +
      'must not be a way into the network.',
  ),
});
