import { type Culprit, policyText } from '../core/license/firewall.ts';
import { type Finding, isFault, type CauseWords, shell } from './model.ts';

/** The FortiGate by its name in config/inspection-products.yaml: what a policy of a FortiGate can explain. */
export const FORTIGATE = 'Fortinet FortiGate';

/**
 * The policy that explains a cause, and the finding in which the firewall reports it. A constant policy explains
 * neither a fault of some connections (`advice`) nor one of some addresses (`clean`), and no certificate of another
 * product. Null as well when two policies could be meant.
 * @param fresh what firewalls reported since the fault began; undefined: all that they reported is that new
 */
export function culpritFinding(
  main: Finding,
  others: readonly Finding[],
  { byFirewall }: CauseWords,
  fresh: readonly Finding[] | undefined,
): (Finding & { readonly culprit: Culprit }) | null {
  const { product = FORTIGATE, issuer = '' } = main.facts ?? {};
  if (byFirewall === undefined || main.advice !== undefined || main.clean !== undefined || product !== FORTIGATE)
    return null;
  const candidates = [main, ...others].flatMap((finding) =>
    isFault(finding) && finding.culprit?.action === byFirewall.action && !isOtherUnit(issuer, finding.culprit)
      ? [{ ...finding, culprit: finding.culprit }]
      : [],
  );
  const isFresh = ({ culprit }: { readonly culprit: Culprit }): boolean =>
    fresh === undefined ||
    fresh.some((one) => one.culprit !== undefined && culpritText(one.culprit) === culpritText(culprit));
  const names = new Set(candidates.map(({ culprit }) => culpritText(culprit)));
  const [first] = candidates;
  return first === undefined || names.size > 1 || !isFresh(first) ? null : first;
}

/** The names that FortiGate units sign with: their serial numbers. */
export const FORTIGATE_SERIAL = /^F[GW](?=[A-Z]*\d)[A-Z0-9]{9,22}$/u;

/** The certificate comes from another FortiGate than the one that was asked. */
function isOtherUnit(issuer: string, { serial }: Culprit): boolean {
  return serial !== null && FORTIGATE_SERIAL.test(issuer) && issuer !== serial;
}

/** `FortiGate 10.0.0.1, policy 12 "LAN-to-Internet", profile "deep-inspection"` */
export function culpritText({ firewall, policy, profile, incoming, outgoing }: Culprit): string {
  if (policy !== null) {
    const inspecting = profile === null ? '' : `, profile "${profile}"`;
    return `${firewall}, ${policyText(policy)}${inspecting}`;
  }
  const between = incoming === null || outgoing === null ? '' : ` from ${incoming} to ${outgoing}`;
  return `${firewall}, implicit deny (no policy allows it${between})`;
}

/** In a few words for a subject, the most telling first; the last one always fits. */
export function culpritShorts({ policy, firewall, firewallHost, action }: Culprit): readonly string[] {
  if (policy === null)
    return [`${firewall}: implicit deny`, `${firewallHost}: implicit deny`, 'denied by implicit deny'];
  const name = `policy ${String(policy.id)}`;
  const does = action === 'inspects' ? 'inspects TLS' : 'denies it';
  return [`${name} on ${firewall} ${does}`, `${name} on ${firewallHost} ${does}`, `${name} ${does}`];
}

/** The same sentence with something behind it: `No answer within 3 s.` and `at once` give `No answer within 3 s, at once.` */
export function withMore(claim: string, separator: string, more: string): string {
  return `${claim.replace(/\.$/u, '')}${separator}${more}.`;
}

/** The same finding with something behind all that it says. */
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

/** Our own words at the begin of a sentence. */
export function capital(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}

/**
 * One finding as a person reads it: what was found, the words that it rests on, what was expected instead. The subject
 * of the cause itself is not said again.
 */
export function evidenceLine({ subject, claim, quote, expected }: Finding, ofCause: string): string {
  const place = subject === ofCause ? '' : `${subject}: `;
  const words = quote === undefined ? '' : ` Verbatim: "${quote}".`;
  return `${place}${claim}${words} Expected: ${inSentence(expected)}.`;
}

/** Findings begin with a capital where they stand alone; names and abbreviations keep theirs. */
export function inSentence(text: string): string {
  return text.replace(/^[A-Z](?=[a-z]* )/u, (letter) => letter.toLowerCase());
}

/** So many lines are read; the others are folded. */
const SHOWN = 5;

/** The evidence that is shown first, and the rest. */
export function foldEvidence(evidence: readonly string[]): {
  readonly shown: readonly string[];
  readonly folded: readonly string[];
} {
  return { shown: evidence.slice(0, SHOWN), folded: evidence.slice(SHOWN) };
}

/** Any precondition may stay unknown, and only time shows it: it is the engine's own cause. */
export const UNKNOWN_CAUSE = 'precondition-unknown';

/** The steps for the precondition, or those of its judgement, come before these. */
export const UNKNOWN_WORDS: CauseWords = {
  severity: 'warning',
  title: 'a precondition cannot be judged',
  short: 'a precondition cannot be judged',
  headline: '{subject} cannot be judged',
  summary: '{subject} could not be judged for 15 minutes or longer.',
  impact: 'blind',
  remedy: [
    shell(
      'Look at all preconditions: the checklist says of each what was checked, and why it could not be judged.',
      'ftm-watch check{config}',
    ),
    'If it cannot be known here and you do not need it, remove it from the configuration: it is then "not ' +
      'configured", and no longer unknown.',
  ],
};
