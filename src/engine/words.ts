import { type Culprit, policyText } from '../core/license/firewall.ts';
import { type Finding, isFault, type CauseWords, shell } from './model.ts';

/** Name of the FortiGate in config/inspection-products.yaml. Identifies faults that a FortiGate policy can explain. */
export const FORTIGATE = 'Fortinet FortiGate';

/**
 * Returns the firewall finding with the policy that explains a cause. A constant policy does not explain a fault of
 * only some connections (`advice`) or some addresses (`clean`), or another product's certificate. Null also if two
 * policies are possible.
 * @param fresh firewall reports since the fault began; undefined if all reports are that recent
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

/** Matches the names that FortiGate units sign with, which are their serial numbers. */
export const FORTIGATE_SERIAL = /^F[GW](?=[A-Z]*\d)[A-Z0-9]{9,22}$/u;

/** Reports whether the certificate comes from a different FortiGate than the one that was asked. */
function isOtherUnit(issuer: string, { serial }: Culprit): boolean {
  return serial !== null && FORTIGATE_SERIAL.test(issuer) && issuer !== serial;
}

/** Returns a text such as `FortiGate 10.0.0.1, policy 12 "LAN-to-Internet", profile "deep-inspection"`. */
export function culpritText({ firewall, policy, profile, incoming, outgoing }: Culprit): string {
  if (policy !== null) {
    const inspecting = profile === null ? '' : `, profile "${profile}"`;
    return `${firewall}, ${policyText(policy)}${inspecting}`;
  }
  const between = incoming === null || outgoing === null ? '' : ` from ${incoming} to ${outgoing}`;
  return `${firewall}, implicit deny (no policy allows it${between})`;
}

/** Returns short forms for a subject, most informative first. The last one always fits. */
export function culpritShorts({ policy, firewall, firewallHost, action }: Culprit): readonly string[] {
  if (policy === null)
    return [`${firewall}: implicit deny`, `${firewallHost}: implicit deny`, 'denied by implicit deny'];
  const name = `policy ${String(policy.id)}`;
  const does = action === 'inspects' ? 'inspects TLS' : 'denies it';
  return [`${name} on ${firewall} ${does}`, `${name} on ${firewallHost} ${does}`, `${name} ${does}`];
}

/** Appends text to a sentence: `No answer within 3 s.` and `at once` give `No answer within 3 s, at once.` */
export function withMore(claim: string, separator: string, more: string): string {
  return `${claim.replace(/\.$/u, '')}${separator}${more}.`;
}

/** Appends text to the claim and the full text of a finding. */
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

/** Capitalizes the first letter of our own text. */
export function capital(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}

/** Returns one finding as a line for readers: the observation, the quoted text, and the expected state. */
export function evidenceLine(finding: Finding, ofCause: string): string {
  return `${observationText(finding, ofCause)} Expected: ${inSentence(finding.expected)}.`;
}

/** Returns the observation and the quoted text. The subject is omitted if it is the subject of the cause. */
export function observationText({ subject, claim, quote }: Finding, ofCause: string): string {
  const place = subject === ofCause ? '' : `${subject}: `;
  const words = quote === undefined ? '' : ` Verbatim: "${quote}".`;
  return `${place}${claim}${words}`;
}

/** Converts the initial capital of a finding to lower case. Names and abbreviations are not changed. */
export function inSentence(text: string): string {
  return text.replace(/^[A-Z](?=[a-z]* )/u, (letter) => letter.toLowerCase());
}

/** Number of lines that are shown. The others are folded. */
const SHOWN = 5;

/** Returns the evidence that is shown first, and the rest. */
export function foldEvidence(evidence: readonly string[]): {
  readonly shown: readonly string[];
  readonly folded: readonly string[];
} {
  return { shown: evidence.slice(0, SHOWN), folded: evidence.slice(SHOWN) };
}

/** The engine's own cause for a precondition that stays unknown. Any precondition can, and only time shows it. */
export const UNKNOWN_CAUSE = 'precondition-unknown';

/** Steps from the precondition or its findings come before these. */
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
