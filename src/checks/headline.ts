import { type Cause, type Diagnosis, GENERAL_FACTS } from '../engine/model.ts';
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
  peer = GENERAL_FACTS.peer,
  observed,
}: Pick<Cause, 'id' | 'subject' | 'severity' | 'product' | 'culprit' | 'peer' | 'observed'>): string {
  const words = wordsOf(id);
  if (culprit !== undefined && words.byFirewall !== undefined)
    return words.byFirewall.headline.replace('{culprit}', () => culpritText(culprit));
  if (observed !== undefined) {
    const place = observed.includes(subject) ? '' : `${subject}: `;
    return `${place}${shortened(observed, MAX_HEADLINE - place.length) ?? visibleText(observed, MAX_HEADLINE)}`;
  }
  if (product !== null && words.productHeadline !== undefined)
    return words.productHeadline.replace('{product}', () => product);
  const usual = words.headline ?? words.title;
  const text = severity === 'warning' ? (words.warningHeadline ?? usual) : usual;
  return text.replace('{subject}', () => subject).replace('{peer}', () => peer);
}

/** Sentence about the checks that could not be evaluated although the site is ready. Empty if there are none. */
export function leftOutSentence({ ready, preconditions }: Pick<Diagnosis, 'ready' | 'preconditions'>): string {
  // A check that waits for its first input reports this itself.
  const leftOut = preconditions.filter(({ isLeftOut, waits }) => isLeftOut === true && waits !== true);
  if (ready !== 'ready' || leftOut.length === 0) return '';
  return `Unknown, but not required for activation: ${nameList(leftOut.map(({ id }) => titleOf(id)))}.`;
}

/** Fits on one line of a page. */
const MAX_HEADLINE = 100;

/** A mail subject contains the state, the site and the cause. Phones display only about 60 characters of a subject. */
const MAX_SHORT_CAUSE = 32;

type ShortCause = Pick<Cause, 'id' | 'severity' | 'product' | 'culprit' | 'said' | 'peer' | 'observed'> &
  Partial<Pick<Cause, 'subject'>>;

/**
 * Describes the fault in at most 32 characters, excluding the host. A long product name is shortened to its first
 * words, which include the vendor, or is omitted.
 */
export function shortCause(cause: ShortCause, room: number = MAX_SHORT_CAUSE): string {
  const { subject, culprit, said, observed } = cause;
  if (said !== undefined) {
    const withUnit = `${subject} logs ${said}`;
    return withUnit.length <= room ? withUnit : `logs ${said}`;
  }
  if (culprit !== undefined) {
    const shorts = culpritShorts(culprit);
    return shorts.find(({ length }) => length <= room) ?? shorts.at(-1) ?? '';
  }
  if (observed !== undefined) return shortObservation(observed, subject, room);
  return namedHeadline(cause, room) ?? shortByProduct(cause);
}

/** The host is omitted before anything else, because a mail names it below the subject. */
function shortObservation(observed: string, subject = '', room: number): string {
  const isServer = /:\d+$/u.test(subject);
  const hostless = isServer ? observed.replaceAll(subject, () => 'the server') : observed;
  return shortened(observed, room) ?? shortened(hostless, room) ?? visibleText(hostless, room);
}

/** Shortens a clause by whole phrases. Returns null if even its first phrase is too long. */
function shortened(clause: string, room: number): string | null {
  const text = visibleText(clause, Infinity);
  // The fault can be what follows "but".
  const least = text.lastIndexOf(' but ');
  const ends = [...text.matchAll(PHRASE_END)].map(({ index }) => index).filter((end) => end > least);
  const end = [text.length, ...ends.toReversed()].find((one) => one <= room);
  return end === undefined ? null : text.slice(0, end);
}

/** An address is omitted only at the end of a phrase. Otherwise, a verb could follow. */
const PHRASE_END =
  /[,;:] | (?:although|because|before|after|which|while)\b| (?:at|through the proxy) \S+?(?=$|[,;:] )/gu;

/** Returns null if the cause's headline is not used in mail subjects, or does not fit. */
function namedHeadline({ subject, ...cause }: ShortCause, room: number): string | null {
  if (subject === undefined || wordsOf(cause.id).isNamedInSubject !== true) return null;
  const named = headline({ ...cause, subject });
  return named.length <= room ? named : null;
}

function shortByProduct({ id, severity, product }: ShortCause): string {
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
export function isOnlyUnseen({ id, severity, peer }: Pick<Cause, 'id' | 'severity' | 'peer'>): boolean {
  return severity !== 'critical' && peer === undefined && wordsOf(id).impact === 'blind';
}
