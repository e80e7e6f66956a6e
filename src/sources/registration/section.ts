import type * as z from 'zod';
import { authorityFile } from '../../config/schema/files.ts';
import { secret } from '../../config/schema/secret.ts';
import { optional, section } from '../../config/schema/section.ts';
import { httpsOrigin } from '../../config/schema/urls.ts';
import { integer, text } from '../../config/schema/values.ts';

/** More digits than any account has. */
const MAX_ACCOUNT = 999_999_999_999;

export type RegistrationConfig = z.output<typeof registration>;

/** FortiCloud's asset management. */
export const registration = section({
  user: text.describe('API user of FortiCloud (IAM > API Users), with read access to Asset Management.'),
  password: secret('password', "File with the API user's password."),
  accountId: optional(integer(1, MAX_ACCOUNT, 'an account number')).describe(
    'Account to look in, for API users of an organisation.',
  ),
  url: httpsOrigin('https://support.fortinet.com')
    .prefault('https://support.fortinet.com')
    .describe('Where the asset management API is.'),
  authUrl: httpsOrigin('https://customerapiauth.fortinet.com')
    .prefault('https://customerapiauth.fortinet.com')
    .describe('Where access tokens are issued.'),
  caFile: authorityFile,
});
