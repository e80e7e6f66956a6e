import type * as z from 'zod';
import { authorityFile, secret } from './secret.ts';
import {
  fieldsOf,
  type Label,
  unique,
  list,
  listOrOne,
  optional,
  section,
  address,
  flag,
  name,
  text,
} from './section.ts';
import { httpsOrigin } from './endpoints.ts';

const entry = section({
  url: httpsOrigin('https://10.0.0.1').describe('Address of the FortiGate, "https://" without a path.'),
  token: secret('token', 'File with the token of a REST API administrator that only reads.'),
  vdom: text.prefault('root').describe('Virtual domain that the traffic passes.'),
  source: address.describe("Address that FortiAuthenticator's traffic comes from: firewall policies match it."),
  sourceInterface: optional(text).describe(
    'Interface that the traffic arrives on; the default is the one that the route to `source` names.',
  ),
  appliances: list(name).describe('Names of the `appliances` whose traffic comes from `source`; the default is all.'),
  fortitokens: flag
    .prefault(false)
    .describe('Whether the FortiGate holds FortiTokens itself: how many are in which status is noted then.'),
  caFile: authorityFile,
});

export type FirewallConfig = z.output<typeof entry>;

/** One entry for each address that a FortiGate sees traffic of FortiAuthenticator come from. */
export const firewall = unique(listOrOne(entry), flow, alreadyAsked);

/** Twice the same question is a slip: two units that share an address share an entry. */
function flow(item: unknown): readonly Label[] {
  const { url, vdom, source } = fieldsOf(item);
  return [url, vdom, source].every((part) => typeof part === 'string')
    ? [{ label: [url, vdom, source].join(' '), path: ['source'] }]
    : [];
}

function alreadyAsked(_: string, owner: number): string {
  return `firewall[${String(owner)}] asks the same: name all units in its "appliances"`;
}
