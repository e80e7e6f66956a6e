import type * as z from 'zod';
import { authorityFile } from '../../../config/schema/files.ts';
import { textAt, unique } from '../../../config/schema/rules.ts';
import { list, section } from '../../../config/schema/section.ts';
import { secretUrlField } from '../../../config/schema/secret-url.ts';
import { minSeverity, recipientName } from '../../../config/schema/message-recipient.ts';

const slack = section({
  name: recipientName,
  minSeverity,
  url: secretUrlField('Address of the incoming webhook of a channel.', 'https://hooks.slack.com/services/T0/B0/x'),
  caFile: authorityFile,
});

export type SlackConfig = z.output<typeof slack>;

export const slackSection = unique(list(slack), textAt('name')).describe(
  'Slack channels, by incoming webhooks, and services that take the same, such as Mattermost.',
);
