import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { configurationOf } from '../../../src/demo/lab/configuration.ts';
import type { ConfigurationPart } from '../../../src/demo/lab/configuration.ts';
import type { Lab } from '../../../src/demo/lab/lab.ts';
import type { JsonReceiver } from '../notify/json-receiver.ts';
import type { Unzipped } from '../process/unzipped.ts';

/** Contained in every secret and every person's name. */
export const CANARY = 'xyzzy7Canary';

/** Replaces every configurable secret, and those in the lab, with the canary. */
export async function hideCanaries(lab: Lab): Promise<void> {
  lab.appliance.state.key = `${CANARY}-key`;
  lab.registration.state.password = `${CANARY}-registration`;
  lab.firewallApi.state.token = `${CANARY}-firewall`;
  const names = [
    'fac-key',
    'registration-password',
    'firewall-token',
    'mail-password',
    'relay-password',
    'hook-token',
    'page-hash',
    'community',
  ];
  const known = [lab.appliance.state.key, lab.registration.state.password, lab.firewallApi.state.token];
  for (const [index, name] of names.entries())
    await writeFile(join(lab.folder, name), known[index] ?? `${CANARY}-${name}`);
  await writeFile(join(lab.folder, 'otlp-headers'), `Authorization: Bearer ${CANARY}-otlp`);
}

/** Writes the lab's configuration to a file of that name, adding all missing secrets and replacing some keys. */
export async function configureCanaries(
  lab: Lab,
  hooks: Pick<JsonReceiver, 'url'>,
  name: string,
  more: ConfigurationPart = {},
): Promise<void> {
  const base = configurationOf(lab) as { readonly notify: { readonly email: object } };
  const notify = {
    ...base.notify,
    email: {
      from: `${CANARY}@example.org`,
      to: [`${CANARY}-admins@example.org`],
      servers: [{ host: '127.0.0.1', port: lab.inbox.port, security: 'none' }],
    },
    webhooks: [{ url: `${hooks.url}/${CANARY}-path?key=${CANARY}`, tokenFile: 'hook-token' }],
    heartbeat: { url: `http://127.0.0.1:1/${CANARY}/ping`, every: '1h' },
  };
  const metrics = { otlp: { url: 'http://127.0.0.1:1/v1/metrics', headersFile: 'otlp-headers' } };
  await writeFile(join(lab.folder, name), JSON.stringify({ ...base, notify, metrics, ...more }));
}

/** Returns the files that contain a canary, in clear or as encoded in a header. */
export function canariesIn(of: Unzipped): readonly string[] {
  const forms = [CANARY, Buffer.from(CANARY).toString('base64').slice(0, 14)];
  return of.names.filter((name) => forms.some((form) => of.text(name).includes(form)));
}
