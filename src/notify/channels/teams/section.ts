import type * as z from 'zod';
import { authorityFile } from '../../../config/schema/files.ts';
import { textAt, unique } from '../../../config/schema/rules.ts';
import { list, section } from '../../../config/schema/section.ts';
import { secretUrlField } from '../../../config/schema/secret-url.ts';
import { minSeverity, recipientName } from '../../../config/schema/message-recipient.ts';

const teams = section({
  name: recipientName,
  minSeverity,
  url: secretUrlField(
    'Address of a workflow that posts to a channel when a webhook request is received.',
    'https://prod-00.westeurope.logic.azure.com/workflows/x',
  ),
  caFile: authorityFile,
});

export type TeamsConfig = z.output<typeof teams>;

export const teamsSection = unique(list(teams), textAt('name')).describe(
  'Microsoft Teams, by addresses of Workflows: an Adaptive Card for each notification.',
);
