import type { Config } from '../config/config.ts';
import type { MessageContext } from './message/message-context.ts';

/** What messages take from the configuration, besides who gets them. */
export interface MessageSettings extends Pick<Config, 'site' | 'timezone'> {
  readonly web: Pick<Config['web'], 'publicUrl'>;
  readonly notify: Pick<Config['notify'], 'runbookUrl'>;
}

export function messageContext({ site, timezone, web, notify }: MessageSettings): MessageContext {
  return { site, timezone, publicUrl: web.publicUrl, runbookUrl: notify.runbookUrl };
}
