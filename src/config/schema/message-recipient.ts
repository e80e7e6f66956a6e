import type * as z from 'zod';
import { choice, name } from './values.ts';

/** What every channel of messages takes: nothing less than a warning is told to anybody. */
export const minSeverity: z.ZodType<'critical' | 'warning'> = choice('critical', 'warning')
  .prefault('warning')
  .describe('The least severity that is sent there. The end of an incident is sent wherever its beginning was.');

/** What a recipient is called in the log, on the page and in the store, where its address is a secret. */
export const recipientName: z.ZodType<string> = name.describe(
  'What it is called in the log and on the page. What waits is kept under this name: another name is another one.',
);
