import type { Advice, FindingText } from '../../engine/model.ts';
import { called } from '../../tls/names.ts';
import { trustUnder } from '../../tls/trust.ts';
import { INCOMPLETE_PUBLIC_CHAIN } from './causes.ts';
import { type ChainCase, deviceOf } from './chain-case.ts';
import type { Decision, Reason } from './decide.ts';
import {
  authorityFinding,
  cutFinding,
  datesFinding,
  elsewhereFinding,
  flawFindings,
  gapFinding,
  nameFinding,
  renewalFinding,
  strengthFinding,
} from './expectations.ts';

/** What a person reads about a decision. */
interface Telling {
  /** A sentence without a full stop. */
  readonly summary: string;
  /** Action that would lead to a definite result, worded as the end of a sentence. */
  readonly settle?: string;
  /** The evidence that belongs to the reason. */
  readonly evidence?: readonly FindingText[];
  /** What remains unknown. */
  readonly open?: readonly FindingText[];
  readonly advice?: Advice;
}

interface Known {
  readonly chain: ChainCase;
  readonly decision: Decision;
  readonly target: string;
  /** The intercepting party, or words for an unknown one. */
  readonly by: string;
}

/** @param by the intercepting party, or words for an unknown one */
export function tell(decision: Decision, chain: ChainCase, by: string): Telling {
  return TELLINGS[decision.reason]({ chain, decision, target: chain.evidence.target, by });
}

const LEARN = 'learn the chain with "ftm-watch trust learn" on a path that is known to be clean';
const WHETHER_IT_WORKS = `check whether FortiAuthenticator works. If FortiAuthenticator works, ${LEARN}`;
const COMPARE = 'compare the certificate from another network';

const TELLINGS: Readonly<Record<Reason, (known: Known) => Telling>> = {
  witness: ({ target, by }) => ({
    summary: `TLS to ${target} is intercepted by ${by}`,
  }),
  contradiction: ({ target }) => ({
    summary: `Another server probably answers instead of ${target}, because another path leads to the genuine key`,
    settle: COMPARE,
  }),
  clock: ({ chain, target }) => ({
    summary: `The certificate of ${target} cannot be checked, because the ftm-watch machine's clock is wrong`,
    settle: "correct the ftm-watch machine's clock",
    evidence: [datesFinding(chain)],
  }),
  device: ({ chain, decision, target }) => {
    const device = deviceOf(chain.leaf) ?? 'A device';
    return decision.confidence === 'confirmed'
      ? { summary: `${device} answers instead of ${target} with its factory certificate` }
      : {
          summary:
            `${device} probably answers instead of ${target}, because the certificate is a device's, not the ` +
            "server's",
          settle: otherView(chain),
        };
  },
  dates: ({ chain, decision, target }) => {
    const { dates, outdated, leaf } = chain;
    const what =
      outdated === null || outdated === leaf
        ? `The certificate of ${target}`
        : `The intermediate certificate ${called(outdated.subject)} of ${target}`;
    const fault = dates === 'expired' ? 'has expired' : 'is not yet valid';
    return {
      summary: `${what}, issued under ${signedBy(chain, decision)}, ${fault}`,
      ...(decision.origin === 'claimed' ? { settle: otherView(chain) } : {}),
      evidence: [datesFinding(chain)],
    };
  },
  name: ({ chain, decision, target }) => {
    const evidence = [nameFinding(chain)];
    return decision.verdict === 'certificate-broken'
      ? {
          summary: `The certificate of ${target} was issued by a trusted authority, but is for another name`,
          settle: WHETHER_IT_WORKS,
          evidence,
        }
      : {
          summary:
            `Another server probably answers instead of ${target}, because the certificate from ` +
            `${called(chain.leaf.issuer)} is for another name`,
          settle: decision.origin === 'accepted' ? COMPARE : otherView(chain),
          evidence,
        };
  },
  gap: ({ chain, target }) => ({
    summary: `${target} does not send its whole chain, so clients without the missing certificate reject it`,
    evidence: gapFinding(chain),
  }),
  cut: ({ chain, decision, target }) => {
    const isGenuine = decision.origin === 'accepted';
    return {
      summary:
        `The connection to ${target} is closed immediately after the ${isGenuine ? 'genuine ' : ''}certificate is ` +
        'received',
      evidence: [cutFinding(chain)],
    };
  },
  signer: ({ chain, decision, target, by }) => ({
    summary: `TLS to ${target} ${decision.origin === 'claimed' ? 'may be' : 'is probably'} intercepted by ${by}`,
    settle: otherView(chain),
  }),
  flaw: ({ chain, target }) => {
    const evidence = flawFindings(chain);
    const flaw = evidence[0]?.claim.replace(/\.$/u, '') ?? 'it has an unknown flaw';
    return {
      summary: `TLS clients may reject the certificate of ${target}: ${flaw}`,
      settle: "check FortiAuthenticator's log to find out whether FortiAuthenticator connects anyway",
      evidence,
    };
  },
  authority: (known) => {
    const { decision, chain, target } = known;
    if (decision.origin === 'elsewhere') return unacceptedAuthority(known);
    if (decision.origin === 'claimed')
      return chain.claim === 'vendor' ? newVendorAuthority(known) : publicAuthorityNotSent(known);
    return {
      summary:
        `${target} has a certificate from a trusted authority that differs from the learned authority: ` +
        called(chain.leaf.issuer),
      evidence: [authorityFinding(chain)],
    };
  },
  everywhere: ({ chain, decision, target }) => ({
    summary:
      `${target} presents its certificate from ${called(chain.leaf.issuer)} to other networks as well, so Fortinet ` +
      `${decision.confidence === 'confirmed' ? '' : 'probably '}changed it`,
    evidence: elsewhereFinding(chain),
  }),
  renewal: ({ target }) => ({
    summary: `${target} has another certificate than the pinned one, and other networks have not answered yet`,
    settle: 'wait for the answer from other networks',
  }),
  key: ({ chain, target }) => ({
    summary: `${target} has a new certificate from the same authority`,
    evidence: [renewalFinding(chain)],
  }),
  strength: ({ chain, target }) => ({
    summary: `The certificate of ${target} has a key, signature or usage that is not acceptable`,
    evidence: [strengthFinding(chain)],
  }),
  limits: ({ target }) => ({
    summary:
      `It is unknown whether the certificate of ${target} is genuine, because its chain has too many certificates or ` +
      'takes too long to verify',
    settle: 'find the device or server that sends this chain, because genuine servers send two to four certificates',
  }),
  trust: ({ target }) => ({
    summary:
      `It is unknown whether the certificate of ${target} is genuine, because no trusted authority is ` + 'configured',
    settle: `configure trust.pins or trust.caFiles, or ${LEARN}`,
  }),
  none: ({ chain, target }) => ({
    summary: `The certificate of ${target} is genuine (under ${chain.chainTrust.label ?? 'a trusted key'})`,
  }),
};

function newVendorAuthority({ chain, target }: Known): Telling {
  const { pins, anchors } = trustUnder(chain.evidence.profile, chain.evidence.trust);
  const end = lastIssuer(chain);
  return {
    summary: `${target} has a certificate from an authority with the vendor's name, but an unknown key: ${end}`,
    settle:
      pins.length + anchors.length === 0
        ? `configure trust.pins or trust.caFiles, or ${LEARN}`
        : `add the certificate of ${end} from a FortiGate with current firmware to trust.caFiles, or ${LEARN}`,
    ...(chain.identity === 'other' ? { evidence: [nameFinding(chain)] } : {}),
    open: [
      {
        rule: 'authority-is-known',
        claim: `${end} is not a known authority, so FortiAuthenticator may not accept it.`,
        expected: 'An authority with a known key',
      },
    ],
  };
}

function publicAuthorityNotSent({ chain, target }: Known): Telling {
  return {
    summary:
      `The chain of ${target} is incomplete, because the certificate of the public authority ${lastIssuer(chain)} ` +
      'was not sent',
    settle: 'compare the intermediate certificates from another network',
    open: unlessPublicIsExpected(chain),
    advice: INCOMPLETE_PUBLIC_CHAIN,
  };
}

function unacceptedAuthority({ chain, decision, target }: Known): Telling {
  return {
    summary:
      `${target} has a certificate from ${signedBy(chain, decision)}, which its trust profile does not accept: ` +
      called(chain.leaf.issuer),
    ...(decision.kind === 'public-authority' ? { settle: WHETHER_IT_WORKS, open: unlessPublicIsExpected(chain) } : {}),
  };
}

function signedBy(chain: ChainCase, { origin }: Decision): string {
  if (origin === 'accepted') return 'a trusted authority';
  if (origin === 'claimed') return `the unknown authority ${lastIssuer(chain)}`;
  return chain.chainTrust.kind === 'vendor' ? 'a Fortinet authority' : 'a public authority';
}

function lastIssuer({ chainTrust, leaf }: ChainCase): string {
  return called((chainTrust.path.at(-1) ?? leaf).issuer);
}

function otherView({ evidence }: ChainCase): string {
  return evidence.controls.length === 0
    ? 'configure an unrelated host that can be reached, because the same issuer there would prove inspection'
    : `check the firewall policy that matches this traffic, or ${LEARN}`;
}

/**
 * FortiAuthenticator is documented to accept only Fortinet's authority. Whether its firmware also accepts public
 * authorities is not known. With the profile `public`, the host is known to use one.
 */
function unlessPublicIsExpected(chain: ChainCase): readonly FindingText[] {
  if (chain.evidence.profile === 'public') return [];
  const is = chain.chainTrust.kind === 'public' ? 'is' : 'has the name of';
  return [
    {
      rule: 'authority-is-accepted',
      claim: `${lastIssuer(chain)} ${is} a public authority, so FortiAuthenticator may not accept the certificate.`,
      expected: "Fortinet's authority",
    },
  ];
}
