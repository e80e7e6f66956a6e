import type * as z from 'zod';
import type { MailRelay } from '../../../config/mail-relay.ts';
import type { SchemaContext } from '../../../config/schema/context.ts';
import { mailRelay } from '../../../config/schema/mail-relay.ts';
import { endpointAt, list, section, unique } from '../../../config/schema/rules.ts';
import { mailAddress, namedMailAddress } from '../../../config/schema/values.ts';

export interface EmailConfig {
  readonly from: string;
  readonly to: readonly string[];
  /** Tried in order. */
  readonly servers: readonly MailRelay[];
}

export function emailSection(context: SchemaContext): z.ZodType<EmailConfig | null> {
  return section({
    from: namedMailAddress().describe('Sender of the notifications.'),
    to: list(mailAddress()).min(1, { error: 'expected at least one recipient' }).describe('Recipients.'),
    servers: unique(
      list(mailRelay(context)).min(1, { error: 'expected at least one mail server' }),
      'host',
      endpointAt,
    ).describe(
      'Mail servers, tried in this order. One that does not depend on the path under watch, such as localhost, ' +
        'belongs at the end.',
    ),
  })
    .optional()
    .describe('Notifications by mail.')
    .transform((given) => given ?? null);
}
