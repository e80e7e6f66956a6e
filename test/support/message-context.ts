import type { MessageContext } from '../../src/notify/message/message-context.ts';

/** Site "hq", whose page no phone can open. */
export const AT_HQ: MessageContext = { site: 'hq', timezone: 'UTC', publicUrl: null, runbookUrl: null };
