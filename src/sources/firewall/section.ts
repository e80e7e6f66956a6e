import type * as z from 'zod';
import { authorityFile } from '../../config/schema/files.ts';
import { secret } from '../../config/schema/secret.ts';
import { optional, section } from '../../config/schema/section.ts';
import { httpsOrigin } from '../../config/schema/urls.ts';
import { address, text } from '../../config/schema/values.ts';

export type FirewallConfig = z.output<typeof firewall>;

/** The FortiGate on the way. */
export const firewall = section({
  url: httpsOrigin('https://10.0.0.1').describe('Address of the FortiGate, "https://" without a path.'),
  token: secret('token', 'File with the token of a REST API administrator that only reads.'),
  vdom: text.prefault('root').describe('Virtual domain that the traffic passes.'),
  source: address.describe("Address that FortiAuthenticator's traffic comes from: firewall policies match it."),
  sourceInterface: optional(text).describe(
    'Interface that the traffic arrives on; the default is the one that the route to `source` names.',
  ),
  caFile: authorityFile,
});
