import type * as z from 'zod';
import { mailRelay } from '../../../config/schema/mail-relay.ts';
import { endpoint, unique } from '../../../config/schema/rules.ts';
import { filledList, optional, section } from '../../../config/schema/section.ts';
import { minSeverity } from '../../../config/schema/message-recipient.ts';
import { mailAddress, namedMailAddress } from '../../../config/schema/values.ts';

const email = section({
  from: namedMailAddress.describe('Sender of the notifications.'),
  to: filledList(mailAddress, 'recipient').describe('Recipients.'),
  servers: unique(filledList(mailRelay, 'mail server'), endpoint).describe(
    'Mail servers, tried in this order. One that does not depend on the path under watch, such as localhost, ' +
      'belongs at the end.',
  ),
  minSeverity,
});

export type EmailConfig = z.output<typeof email>;

export const emailSection = optional(email).describe('Notifications by mail.');
