import { type Culprit, policyText } from '../core/firewall.ts';
import { type CauseWords, type Finding, shell, type Situation } from './model.ts';

/**
 * The product's name in config/inspection-products.yaml. Faults that this product causes can be explained by a
 * FortiGate policy.
 */
export const FORTIGATE = 'Fortinet FortiGate';

/** Where Fortinet reports incidents of its cloud services. */
export const VENDOR_STATUS = 'https://status.fortistatus.com/guest-portal/fortitoken/incident/overview';

/** A FortiGate also uses its serial number as the name of its certificate authority. */
export const FORTIGATE_SERIAL = /^F[GW](?=[A-Z]*\d)[A-Z0-9]{9,22}$/u;

/** Returns text such as `FortiGate 10.0.0.1, policy 12 "LAN-to-Internet", profile "deep-inspection"`. */
export function culpritText({ firewall, policy, profile, incoming, outgoing }: Culprit): string {
  if (policy !== null) {
    const inspecting = profile === null ? '' : `, profile "${profile}"`;
    return `${firewall}, ${policyText(policy)}${inspecting}`;
  }
  const between = incoming === null || outgoing === null ? '' : ` from ${incoming} to ${outgoing}`;
  return `${firewall}, implicit deny (no policy allows it${between})`;
}

export function withMore(claim: string, separator: string, more: string): string {
  return `${claim.replace(/\.$/u, '')}${separator}${more}.`;
}

export function withMoreSaid<F extends Pick<Finding, 'claim' | 'actual'>>(
  found: F,
  separator: string,
  more: string,
): F {
  const { claim, actual } = found;
  return {
    ...found,
    claim: withMore(claim, separator, more),
    ...(actual === undefined ? {} : { actual: `${actual}${separator}${more}` }),
  };
}

/** Returns the first sentence of a text, for use inside another sentence. */
export function clauseOf(text: string): string {
  return inSentence(text.replace(/\.(?: .*)?$/u, ''));
}

/** A text that begins with a host or another name that is not a word is left unchanged. */
export function capital(text: string): string {
  return /^[\p{L}'’-]+(?:[\s,]|$)/u.test(text) ? text.slice(0, 1).toUpperCase() + text.slice(1) : text;
}

export function evidenceLine(finding: Finding, ofCause: string): string {
  return `${observationText(finding, ofCause)} Expected: ${inSentence(finding.expected)}.`;
}

/** In quotation marks that the text itself rarely contains, because many texts contain straight ones. */
export function quotation(text: string): string {
  return `“${text}”`;
}

/** The finding's subject is omitted if it is the cause's subject. */
export function observationText({ subject, claim, quote }: Finding, ofCause: string): string {
  const place = subject === ofCause ? '' : `${subject}: `;
  const words = quote === undefined ? '' : ` Verbatim: ${quotation(quote)}.`;
  return `${place}${claim}${words}`;
}

/** Converts the first letter to lower case, unless the text starts with a name or an abbreviation. */
export function inSentence(text: string): string {
  return text.replace(/^[A-Z](?=[a-z]* )/u, (letter) => letter.toLowerCase());
}

/** Returns whether a cause's words depend on a fact. */
export function dependsOnFact({ variants = [] }: CauseWords, fact: keyof Situation): boolean {
  return variants.some(({ when }) => when[fact] !== undefined);
}

/** Returns the words that apply in a situation. */
export function wordsFor(words: CauseWords, situation: Situation): CauseWords {
  const known: ReadonlyMap<string, unknown> = new Map(Object.entries(situation));
  const applies = ([fact, wanted]: readonly [string, unknown]): boolean =>
    wanted === ANY_PRODUCT ? known.get(fact) !== undefined : known.get(fact) === wanted;
  return (words.variants ?? [])
    .filter(({ when }) => Object.entries(when).every(applies))
    .reduce((all, variant) => ({ ...all, ...variant }), words);
}

export const ANY_PRODUCT = '*';

export const UNKNOWN_CAUSE = 'precondition-unknown';

/** Steps from the precondition or its findings are inserted before these steps. */
export const UNKNOWN_WORDS: CauseWords = {
  severity: 'warning',
  name: '[{subject}|a step] cannot be checked',
  summary: '{subject} could not be checked for 15 minutes or longer.',
  impact: 'blind',
  remedy: [
    shell(
      'Run a check. The checklist shows what was checked, or why it could not be checked.',
      'ftm-watch check{config}',
    ),
    'If it cannot be checked from here and you do not need it, remove it from the ' +
      'configuration. Its state is then "not configured" instead of unknown.',
  ],
};
