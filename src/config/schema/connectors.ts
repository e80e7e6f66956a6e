import type * as z from 'zod';
import type { FirewallConfig, RegistrationConfig } from '../config.ts';
import type { SchemaContext } from './context.ts';
import { readableFile, requiredSecret, secretFile, secretVariable } from './files.ts';
import { requireSecret, ruled, section } from './rules.ts';
import { httpsOrigin } from './urls.ts';
import { address, integer, text } from './values.ts';

/** More digits than any account has. */
const MAX_ACCOUNT = 999_999_999_999;

/** FortiCloud's asset management. */
export function registration(context: SchemaContext): z.ZodType<RegistrationConfig> {
  return ruled(
    section({
      user: text().describe('API user of FortiCloud (IAM > API Users), with read access to Asset Management.'),
      passwordFile: secretFile(context).optional().describe("File with the API user's password."),
      passwordEnv: secretVariable(context)
        .optional()
        .describe('Environment variable with the password, instead of the file.'),
      accountId: integer(1, MAX_ACCOUNT, 'an account number')
        .optional()
        .describe('Account to look in, for API users of an organisation.'),
      url: httpsOrigin('https://support.fortinet.com')
        .prefault('https://support.fortinet.com')
        .describe('Where the asset management API is.'),
      authUrl: httpsOrigin('https://customerapiauth.fortinet.com')
        .prefault('https://customerapiauth.fortinet.com')
        .describe('Where access tokens are issued.'),
      caFile: caFile(context),
    }),
    (fields, report) => {
      requireSecret('password', fields, report);
    },
  ).transform(({ passwordFile, passwordEnv, accountId, caFile: authority, ...rest }) => ({
    ...rest,
    password: requiredSecret(passwordFile, passwordEnv),
    accountId: accountId ?? null,
    caFile: authority ?? null,
  }));
}

/** The FortiGate on the way. */
export function firewall(context: SchemaContext): z.ZodType<FirewallConfig> {
  return ruled(
    section({
      url: httpsOrigin('https://10.0.0.1').describe('Address of the FortiGate, "https://" without a path.'),
      tokenFile: secretFile(context)
        .optional()
        .describe('File with the token of a REST API administrator that only reads.'),
      tokenEnv: secretVariable(context)
        .optional()
        .describe('Environment variable with the token, instead of the file.'),
      vdom: text().prefault('root').describe('Virtual domain that the traffic passes.'),
      source: address().describe("Address that FortiAuthenticator's traffic comes from: firewall policies match it."),
      sourceInterface: text()
        .optional()
        .describe('Interface that the traffic arrives on; the default is the one that the route to `source` names.'),
      caFile: caFile(context),
    }),
    (fields, report) => {
      requireSecret('token', fields, report);
    },
  ).transform(({ tokenFile, tokenEnv, sourceInterface, caFile: authority, ...rest }) => ({
    ...rest,
    token: requiredSecret(tokenFile, tokenEnv),
    sourceInterface: sourceInterface ?? null,
    caFile: authority ?? null,
  }));
}

function caFile(context: SchemaContext): z.ZodOptional<z.ZodType<string>> {
  return readableFile(context)
    .optional()
    .describe('PEM file of the authority that signed its certificate; without it the public authorities are trusted.');
}
