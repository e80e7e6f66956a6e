import type { Delivery } from '../engine/incident/journal.ts';
import { channelWords } from '../notify/channels/registry.ts';
import { withoutPath } from '../text/without-path.ts';

/** The part before the `@`, except for its first letter. */
const MAIL_USER = /([\w!#$%&'*+/=?^`{|}~-])[\w.!#$%&'*+/=?^`{|}~-]{0,63}@(?=[a-z\d[])/giu;
const PLACE = /^(?:file|environment variable) "/u;
const WEB_ADDRESS = /\bhttps?:\/\/[^\s"'<>]+/giu;

/**
 * A person by the first letter and the domain of the mail address, a web hook by its host: its path may be a secret.
 */
export function maskedRecipient({ channel, recipient }: Pick<Delivery, 'channel' | 'recipient'>): string {
  switch (channelWords(channel).recipients) {
    case 'mail-address':
      return withoutUsers(recipient);
    case 'url':
      // One that is read from elsewhere is called by its place.
      return PLACE.test(recipient) ? recipient : withoutPath(recipient);
    case 'name':
      return recipient.includes('://') && !PLACE.test(recipient) ? withoutPath(recipient) : recipient;
  }
}

/** What the peer said last, without the people and paths that it may name. */
export function maskedDetail({ detail }: Pick<Delivery, 'detail'>): string {
  return withoutUsers(detail.replaceAll(WEB_ADDRESS, withoutPath));
}

function withoutUsers(text: string): string {
  return text.replaceAll(MAIL_USER, '$1…@');
}
