import type { Cause } from '../engine/cause.ts';
import { culpritText } from '../engine/words/culprit.ts';
import { wordsOf } from './registry.ts';

/** What is wrong in half a line, for subjects and lists. The sentence with all the names is `cause.summary`. */
export function headline({
  id,
  subject,
  severity,
  product,
  culprit,
}: Pick<Cause, 'id' | 'subject' | 'severity' | 'product' | 'culprit'>): string {
  const words = wordsOf(id);
  if (culprit !== undefined && words.byFirewall !== undefined)
    return words.byFirewall.headline.replace('{culprit}', () => culpritText(culprit));
  if (product !== null && words.productHeadline !== undefined)
    return words.productHeadline.replace('{product}', () => product);
  const usual = words.headline ?? words.title;
  const text = severity === 'warning' ? (words.warningHeadline ?? usual) : usual;
  return text.replace('{subject}', () => subject);
}
