import { type Culprit, policyText } from '../../core/license/firewall.ts';
import { type Finding, isFault } from '../finding.ts';
import type { CauseWords } from './cause-words.ts';

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
  const { product = FORTIGATE, clean, issuer = '' } = main.facts ?? {};
  if (byFirewall === undefined || main.advice !== undefined || clean !== undefined || product !== FORTIGATE)
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
