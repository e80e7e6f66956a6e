import type { Cause, Diagnosis } from '../engine/model.ts';
import { FORTIGATE, wordsFor } from '../engine/words.ts';
import type { Culprit } from '../core/firewall.ts';
import { titleOf, wordsOf } from './registry.ts';
import { cutAtWord, nameList, visibleText } from '../core/visible-text.ts';

/** What a cause's name depends on. */
type NamedCause = Pick<Cause, 'id' | 'subject' | 'severity' | 'product'> &
  Partial<Pick<Cause, 'kind' | 'culprit' | 'said' | 'peer' | 'observed'>>;

/** Returns the whole name of a cause. A suspected cause is named by what was observed. */
export function headline(cause: NamedCause): string {
  const { subject, culprit, observed } = cause;
  if (observed === undefined || culprit !== undefined) return namesOf(cause)[0] ?? '';
  const place = observed.includes(subject) ? '' : `${titleOf(subject)}: `;
  return `${place}${shortened(observed, MAX_HEADLINE - place.length) ?? cutAtWord(observed, MAX_HEADLINE)}`;
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

/** Describes the fault in at most 32 characters, or with the host and the whole product if there is more room. */
export function shortCause(cause: NamedCause, room: number = MAX_SHORT_CAUSE): string {
  const { subject, culprit, said, observed } = cause;
  if (observed !== undefined && culprit === undefined && said === undefined)
    return shortObservation(observed, subject, room);
  const names = namesOf(cause);
  return names.find(({ length }) => length <= room) ?? names.at(-1) ?? '';
}

/** Returns all forms of a cause's name, most informative first. The last one is always short enough. */
function namesOf({ id, kind, severity, product, culprit, subject, said, peer }: NamedCause): readonly string[] {
  const { name } = wordsFor(wordsOf(id), { kind, product: product ?? undefined, culprit: culprit?.action, severity });
  const values: NameValues = {
    // Of an unknown check, the subject is its id.
    subject: subject === '' ? [] : [titleOf(subject)],
    said: said === undefined ? [] : [said],
    peer: peer === undefined ? [] : [peer],
    product: product === null ? [] : productForms(product),
    policy: culprit === undefined ? [] : policyForms(culprit),
  };
  return [...alternativesOf(name), inHeadlineStyle(generalName(name))].flatMap((text) => filled(text, values));
}

/** Returns a cause's name without facts. */
export function generalName(name: string): string {
  return alternativesOf(name).at(-1) ?? name;
}

function alternativesOf(name: string): readonly string[] {
  const { before, choice, after } = /^(?<before>[^[]*)\[(?<choice>[^\]]*)\](?<after>.*)$/u.exec(name)?.groups ?? {};
  if (choice === undefined) return [name];
  const texts = choice.includes('|') ? choice.split('|') : [choice, ''];
  return texts.map((text) => `${before ?? ''}${text}${after ?? ''}`);
}

/** Without articles and forms of "be", as in newspapers. */
function inHeadlineStyle(text: string): string {
  return text.replaceAll(/\b(?:the|an?|is|are|was|were) /gu, '');
}

/** Forms of each fact, longest first. Empty if the fact is unknown. */
type NameValues = Readonly<Record<string, readonly string[]>>;

/** Returns a text for each form of its facts, and none if a fact is unknown. */
function filled(text: string, values: NameValues): readonly string[] {
  const [whole, name = ''] = /\{([a-z]+)\}/u.exec(text) ?? [];
  if (whole === undefined) return [text];
  const [before = '', ...after] = text.split(whole);
  return filled(after.join(whole), values).flatMap((rest) =>
    (values[name] ?? []).map((value) => `${before}${value}${rest}`),
  );
}

/** The host is omitted before anything else, because a mail names it below the subject. */
function shortObservation(observed: string, subject: string, room: number): string {
  const isServer = /:\d+$/u.test(subject);
  const hostless = isServer ? observed.replaceAll(subject, () => 'the server') : observed;
  return shortened(observed, room) ?? shortened(hostless, room) ?? cutAtWord(hostless, room);
}

/** Shortens a clause by whole phrases. Returns null if even its first phrase is too long. */
function shortened(clause: string, room: number): string | null {
  const text = visibleText(clause, Infinity);
  // The fault can be what follows "but".
  const least = text.lastIndexOf(' but ');
  const ends = [...text.matchAll(PHRASE_END)].map(({ index }) => index).filter((end) => end > least);
  const end = [text.length, ...ends.toReversed()].find((one) => one <= room);
  // A phrase can end within parentheses.
  return end === undefined ? null : text.slice(0, end).replace(/ \([^)]*$/u, '');
}

/** An address is omitted only at the end of a phrase. Otherwise, a verb could follow. */
const PHRASE_END =
  /[,;:] | (?:although|because|before|after|which|while)\b| (?:at|through the proxy) \S+?(?=$|[,;:] )/gu;

function policyForms({ policy, firewall, firewallHost }: Culprit): readonly string[] {
  const name = policy === null ? 'implicit deny' : `policy ${String(policy.id)}`;
  const whole = policy === null ? `the ${name}` : name;
  return [`${whole} on ${firewall}`, `${whole} on ${firewallHost}`, `${name} on ${firewallHost}`, whole];
}

/** Returns the product's name, then its first words, which include the vendor. */
function productForms(product: string): readonly string[] {
  const words = (product === FORTIGATE ? 'FortiGate' : visibleText(product, 200)).split(' ');
  return words.map((_, index) => words.slice(0, words.length - index).join(' ')).filter((form) => form !== '');
}

/** Returns whether the cause only states that ftm-watch could not evaluate a precondition. */
export function isOnlyUnseen({ id, severity, peer }: Pick<Cause, 'id' | 'severity' | 'peer'>): boolean {
  return severity !== 'critical' && peer === undefined && ['blind', 'unread'].includes(wordsOf(id).impact);
}
