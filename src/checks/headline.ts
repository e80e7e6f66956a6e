import type { Cause, Diagnosis } from '../engine/model.ts';
import { culpritText } from '../engine/words.ts';
import type { Culprit } from '../core/license/firewall.ts';
import { titleOf, wordsOf } from './registry.ts';
import { nameList, visibleText } from '../core/visible-text.ts';

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

/** Sentence about the checks that could not be evaluated although the site is ready. Empty if there are none. */
export function leftOutSentence({ ready, preconditions }: Pick<Diagnosis, 'ready' | 'preconditions'>): string {
  // A check that waits for its first input reports this itself.
  const leftOut = preconditions.filter(({ isLeftOut, waits }) => isLeftOut === true && waits !== true);
  if (ready !== 'ready' || leftOut.length === 0) return '';
  return `Unknown, but not required for activation: ${nameList(leftOut.map(({ id }) => titleOf(id)))}.`;
}

/** A mail subject contains the state, the site and the cause. Phones display only about 60 characters of a subject. */
const MAX_SHORT_CAUSE = 32;

type ShortCause = Pick<Cause, 'id' | 'severity' | 'product' | 'culprit' | 'said'> & Partial<Pick<Cause, 'subject'>>;

/**
 * Describes the fault in at most 32 characters, excluding the host. A long product name is shortened to its first
 * words, which include the vendor, or is omitted.
 */
export function shortCause(
  { id, subject, severity, product, culprit, said }: ShortCause,
  room: number = MAX_SHORT_CAUSE,
): string {
  if (said !== undefined) {
    const withUnit = `${subject} logs ${said}`;
    return withUnit.length <= room ? withUnit : `logs ${said}`;
  }
  if (culprit !== undefined) {
    const shorts = culpritShorts(culprit);
    return shorts.find(({ length }) => length <= room) ?? shorts.at(-1) ?? '';
  }
  const { short, warningShort, productShort = {}, anyProductShort } = wordsOf(id);
  const usual = severity === 'warning' ? (warningShort ?? short) : short;
  if (product === null) return usual;
  if (Object.hasOwn(productShort, product)) return productShort[product] ?? usual;
  if (anyProductShort === undefined) return usual;
  const name = leadingWords(product, MAX_SHORT_CAUSE - anyProductShort.replace('{product}', '').length);
  return name === '' ? usual : anyProductShort.replace('{product}', () => name);
}

/** Returns short descriptions for a mail subject, most informative first. The last one is always short enough. */
function culpritShorts({ policy, firewall, firewallHost, action }: Culprit): readonly string[] {
  if (policy === null)
    return [`${firewall}: implicit deny`, `${firewallHost}: implicit deny`, 'blocked by the implicit deny'];
  const name = `policy ${String(policy.id)}`;
  const does = action === 'inspects' ? 'inspects TLS' : 'blocks it';
  return [`${name} on ${firewall} ${does}`, `${name} on ${firewallHost} ${does}`, `${name} ${does}`];
}

function leadingWords(text: string, room: number): string {
  const words = visibleText(text, 200).split(' ');
  const fitting = words.map((_, index) => words.slice(0, index + 1).join(' ')).filter(({ length }) => length <= room);
  return fitting.at(-1) ?? '';
}

/** Returns whether the cause only states that ftm-watch could not evaluate a precondition. */
export function isOnlyUnseen({ id, severity }: Pick<Cause, 'id' | 'severity'>): boolean {
  return severity !== 'critical' && wordsOf(id).impact === 'blind';
}
