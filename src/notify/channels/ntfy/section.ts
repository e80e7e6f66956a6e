import type * as z from 'zod';
import { authorityFile } from '../../../config/schema/files.ts';
import { hasSecret, type Report, type SectionFields, textAt, unique } from '../../../config/schema/rules.ts';
import { optionalSecret } from '../../../config/schema/secret.ts';
import { list, section } from '../../../config/schema/section.ts';
import { secretUrlField } from '../../../config/schema/secret-url.ts';
import { isReadableOnTheWay } from '../../../config/schema/urls.ts';
import { minSeverity, recipientName } from '../../../config/schema/message-recipient.ts';
import { TOKEN_IN_CLEAR } from '../authorization.ts';

const ntfy = section(
  {
    name: recipientName,
    minSeverity,
    url: secretUrlField('Address of the topic: on a public server its name is a secret.', 'https://ntfy.sh/topic'),
    token: optionalSecret('token', 'File with an access token, where the server asks for one. Needs https.'),
    caFile: authorityFile,
  },
  checkUrl,
);

export type NtfyConfig = z.output<typeof ntfy>;

export const ntfySection = unique(list(ntfy), textAt('name')).describe('Topics of ntfy, for phones.');

export const NO_TOPIC = 'expected a URL that ends in a topic: letters, digits, "_" and "-", at most 64';

/** The server and the topic of an address; null: it names no topic. */
export function topicOf(url: string): { readonly server: string; readonly topic: string } | null {
  const [, server, topic] = /^(https?:\/\/[^?#]*\/)([-_A-Za-z0-9]{1,64})$/u.exec(url) ?? [];
  return server === undefined || topic === undefined || /^https?:\/\/$/u.test(server) ? null : { server, topic };
}

function checkUrl(fields: SectionFields, report: Report): void {
  const { url } = fields;
  if (typeof url !== 'string') return;
  if (topicOf(url) === null) report('url', NO_TOPIC);
  if (hasSecret('token', fields) && isReadableOnTheWay(url)) report('url', TOKEN_IN_CLEAR);
}
