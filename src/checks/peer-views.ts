import { authority, type HostPort } from '../core/addresses.ts';
import type { EpochMs } from '../core/clock.ts';
import { utcText } from '../core/time-text.ts';
import { PEER_ALONE, PEER_INSTEAD, type PeerCause, type PeerObservation, type PeerView } from '../core/round.ts';
import type { Facts, Judgement } from './check.ts';
import { raised } from './intermittent/finding.ts';
import { withFindings } from './judgement.ts';
import { complainedOf } from './polling/explained.ts';
import { type Check, type Finding, isFault, known, note } from '../engine/model.ts';

/**
 * A fault that only a peer detects is in FortiAuthenticator's network segment. A fault that both agents detect is not
 * caused by this machine. Faults that a peer does not detect are still reported.
 */
export function asOthersSeeIt(
  observed: Judgement,
  check: Check,
  { config: { licenseServer }, picture, log }: Facts,
): Judgement {
  const isComplainedOf = log.kind === 'heard' && complainedOf(log).includes(check.id);
  const own = isComplainedOf ? { ...observed, findings: observed.findings.map(raised) } : observed;
  // Services are not compared, because they may be configured only on this agent.
  const compared = own.findings.filter(({ facts }) => facts?.host === undefined);
  const fault = compared.find(({ level }) => level === 'broken') ?? compared.find(isFault);
  const isClean = own.kind === 'judged' && compared.every(({ level }) => level === 'note');
  const findings = picture.peers.flatMap((peer): readonly Finding[] => {
    if (peer.kind === 'failed') return [];
    const cause = causeOf(peer, check, licenseServer);
    if (cause !== undefined) return [fault === undefined ? alone(peer, cause, isClean) : both(peer, cause, fault)];
    return fault !== undefined && stateOf(peer, check)?.seesNoFault === true ? [otherwise(peer, fault)] : [];
  });
  return withFindings(own, findings);
}

/**
 * Returns what is known from each peer that sees no fault on the path.
 * @param path IDs of all preconditions on the path
 * @param since time of FortiAuthenticator's first error; older results prove nothing about the error
 */
export function pathSeenBy(
  peers: readonly PeerObservation[],
  path: readonly string[],
  since: EpochMs,
): readonly Pick<Finding, 'rule' | 'claim' | 'at' | 'expected'>[] {
  return peers.flatMap((peer) => {
    if (peer.kind === 'failed' || peer.at < since) return [];
    if (!path.every((id) => peer.preconditions.some((one) => one.id === id && one.seesNoFault))) return [];
    return [{ ...NO_FAULT, claim: `${seenBy(peer)} no fault on its path to the licence server.`, at: peer.at }];
  });
}

/** Without this note, users would rely on peers whose results are not available. */
export function unreadablePeers(peers: readonly PeerObservation[]): readonly Finding[] {
  return peers.flatMap((peer) => (peer.kind === 'failed' ? [unreadable(peer.peer, peer.message)] : []));
}

/** Returns a fault that the peer observed itself and that this check can report. */
function causeOf(peer: PeerView, check: Check, { host, port }: HostPort): PeerCause | undefined {
  if (stateOf(peer, check)?.isHearsay === true) return undefined;
  return peer.causes.find(
    ({ id, precondition, subject, severity }) =>
      precondition === check.id &&
      severity !== 'info' &&
      Object.hasOwn(check.causes, id) &&
      (subject === host || subject === authority({ host, port })),
  );
}

function stateOf(peer: PeerView, { id }: Check): PeerView['preconditions'][number] | undefined {
  return peer.preconditions.find((precondition) => precondition.id === id);
}

/** @param isClean true if this machine checked its own path and found no fault */
function alone(
  peer: PeerView,
  { id, subject, product, severity, confidence, summary }: PeerCause,
  isClean: boolean,
): Finding {
  return {
    rule: isClean ? PEER_ALONE : PEER_INSTEAD,
    subject,
    claim: isClean
      ? `${seenBy(peer)} a fault that this ftm-watch does not detect.`
      : `${seenBy(peer)} a fault that this ftm-watch could not check for.`,
    quote: summary,
    at: peer.at,
    witness: 'peer',
    expected: isClean
      ? "no fault in FortiAuthenticator's network segment, as in the segment of ftm-watch"
      : "no fault in FortiAuthenticator's network segment",
    level: severity === 'critical' && confidence === 'confirmed' ? 'broken' : 'warning',
    confidence,
    suggests: id,
    facts: known({ product }),
  };
}

function both(peer: PeerView, { id, summary }: PeerCause, { subject, suggests }: Finding): Finding {
  const isSame = id === suggests;
  return {
    rule: 'peer-sees-another-path',
    subject,
    claim: isSame
      ? `${seenBy(peer)} the same fault, so the fault is not limited to this ftm-watch.`
      : `${seenBy(peer)} another fault.`,
    ...(isSame ? {} : { quote: summary }),
    at: peer.at,
    witness: 'peer',
    expected: "a result from FortiAuthenticator's network segment",
    level: 'note',
    suggests: isSame ? id : null,
  };
}

const NO_FAULT = {
  rule: 'peer-sees-the-fault',
  expected: "the same fault in FortiAuthenticator's network segment",
} as const;

function otherwise(peer: PeerView, { subject, suggests }: Finding): Finding {
  return {
    ...NO_FAULT,
    subject,
    claim: `${seenBy(peer)} no fault, so the fault may affect only this ftm-watch.`,
    at: peer.at,
    level: 'note',
    suggests,
  };
}

function unreadable(peer: string, message: string): Finding<never> {
  return note({
    rule: 'peer-is-readable',
    subject: peer,
    claim: 'The current status of the other ftm-watch could not be read, so its results are unknown.',
    expected: 'the status of the other ftm-watch',
    quote: message,
  });
}

function seenBy({ peer, at }: PeerView): string {
  return `At ${utcText(at)}, ftm-watch at ${peer} detected`;
}
