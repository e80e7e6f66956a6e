import type * as z from 'zod';
import { authorityFile } from '../../../config/schema/files.ts';
import {
  type SectionFields,
  given,
  hasSecret,
  itemsOf,
  type Report,
  requireLogin,
} from '../../../config/schema/rules.ts';
import { optionalSecret } from '../../../config/schema/secret.ts';
import { filledList, optional, section } from '../../../config/schema/section.ts';
import { isReadableOnTheWay, webUrl } from '../../../config/schema/urls.ts';
import { text } from '../../../config/schema/values.ts';

const alertmanager = section(
  {
    urls: filledList(webUrl('http://127.0.0.1:9093'), 'URL').describe(
      'Every member of the cluster; alerts go to all of them, as Prometheus does it.',
    ),
    user: optional(text).describe('Name to log in with, where Alertmanager asks for a login. Needs https.'),
    password: optionalSecret('password', 'File with the password of `user`.'),
    token: optionalSecret('token', 'File with a token, sent as "Authorization: Bearer", instead of a login.'),
    caFile: authorityFile,
  },
  credentialsAreSafe,
);

export type AlertmanagerConfig = z.output<typeof alertmanager>;

export const alertmanagerSection = optional(alertmanager).describe("Prometheus' Alertmanager.");

function credentialsAreSafe(fields: SectionFields, report: Report): void {
  requireLogin(fields, report);
  const hasToken = hasSecret('token', fields);
  if (given(fields, 'user') && hasToken) report('user', 'expected a login or a token, not both');
  if (!given(fields, 'user') && !hasToken) return;
  if (itemsOf(fields['urls']).some((url) => typeof url === 'string' && isReadableOnTheWay(url)))
    report('urls', 'expected only URLs that begin with "https://": the credentials would travel in clear');
}
