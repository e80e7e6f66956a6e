import type * as z from 'zod';
import { authorityFile, secret } from '../../config/schema/secret.ts';
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
} from '../../config/schema/section.ts';
import { httpsOrigin } from '../../config/schema/endpoints.ts';

const entry = section({
  url: httpsOrigin('https://10.0.0.1').describe('Address of the FortiGate, "https://" without a path.'),
  token: secret('token', 'File with the token of a read-only REST API administrator.'),
  vdom: text.prefault('root').describe('Virtual domain of the traffic.'),
  source: address.describe("Address that FortiAuthenticator's traffic comes from."),
  sourceInterface: optional(text).describe(
    'Interface that the traffic arrives on. The default is that of the route to `source`.',
  ),
  appliances: list(name).describe('Names of the `appliances` whose traffic comes from `source`. The default is all.'),
  fortitokens: flag
    .prefault(false)
    .describe('Whether the FortiGate holds FortiTokens itself. Their number by status is noted.'),
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
