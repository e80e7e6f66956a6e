import { authority, type HostPort } from '../core/addresses.ts';
import { utcText } from '../core/time-text.ts';
import { PEER_ALONE, PEER_INSTEAD, type PeerCause, type PeerObservation, type PeerView } from '../core/round.ts';
import type { Everything } from './check.ts';
import { withComplaint } from './intermittent/finding.ts';
import { type Assessment, withFindings, type Check, type Finding, isFault, known, note } from '../engine/model.ts';

/** Adds FortiAuthenticator's errors and the views of other agents to a stage of the path. */
export function asOthersSeeIt(own: Assessment, check: Check, { licenseServer, picture, log }: Everything): Assessment {
  const raised = log === null ? own : withComplaint(own, log.complainedOf);
  return withPeerViews(raised, check, { peers: picture.peers, licenseServer });
}

/**
 * Adds the views of other agents of a precondition on the path. A fault that only they see is in FortiAuthenticator's
 * segment; a fault that both see is not caused by this machine. A peer that does not see a fault never cancels it.
 */
function withPeerViews(
  own: Assessment,
  check: Check,
  { peers, licenseServer }: { readonly peers: readonly PeerObservation[]; readonly licenseServer: HostPort },
): Assessment {
  // Services may be configured here but not at the peer.
  const compared = own.findings.filter(({ facts }) => facts?.host === undefined);
  const fault = compared.find(({ level }) => level === 'broken') ?? compared.find(isFault);
  const isClean = own.kind === 'judged' && compared.every(({ level }) => level === 'note');
  const findings = peers.flatMap((peer): readonly Finding[] => {
    if (peer.kind === 'failed') return [];
    const cause = causeOf(peer, check, licenseServer);
    if (cause !== undefined) return [fault === undefined ? alone(peer, cause, isClean) : both(peer, cause, fault)];
    return fault !== undefined && stateOf(peer, check)?.seesNoFault === true ? [otherwise(peer, fault)] : [];
  });
  return withFindings(own, findings);
}

/** Adds notes about unreadable peers, so that nobody relies on them. */
export function unreadablePeers(own: Assessment, peers: readonly PeerObservation[]): Assessment {
  const notes = peers.flatMap((peer) => (peer.kind === 'failed' ? [unreadable(peer.peer, peer.message)] : []));
  return notes.length === 0 ? own : { ...own, findings: [...own.findings, ...notes] };
}

/** Returns a fault of the licence server's path that this check has as a cause and that the peer itself observed. */
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

/** @param isClean this machine judged its own path and found no fault */
function alone(
  peer: PeerView,
  { id, subject, product, severity, confidence, summary }: PeerCause,
  isClean: boolean,
): Finding {
  return {
    rule: isClean ? PEER_ALONE : PEER_INSTEAD,
    subject,
    claim: isClean
      ? `${seenBy(peer)} a fault that this machine does not see.`
      : `${seenBy(peer)} a fault; this machine could not check it.`,
    quote: summary,
    at: peer.at,
    witness: 'peer',
    expected: isClean
      ? 'no fault in the segment of FortiAuthenticator, as there is none in that of this machine'
      : 'no fault in the segment of FortiAuthenticator',
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
      ? `${seenBy(peer)} the same fault, so it is not this machine alone.`
      : `${seenBy(peer)} another fault.`,
    ...(isSame ? {} : { quote: summary }),
    at: peer.at,
    witness: 'peer',
    expected: 'a view from the segment of FortiAuthenticator',
    level: 'note',
    suggests: isSame ? id : null,
  };
}

/** Adds evidence to the cause, so that a mail about it contains this as well. */
function otherwise(peer: PeerView, { subject, suggests }: Finding): Finding {
  return {
    rule: 'peer-sees-the-fault',
    subject,
    claim: `${seenBy(peer)} no fault: it may concern this machine alone.`,
    at: peer.at,
    expected: 'the same fault in the segment of FortiAuthenticator',
    level: 'note',
    suggests,
  };
}

function unreadable(peer: string, message: string): Finding<never> {
  return note({
    rule: 'peer-is-readable',
    subject: peer,
    claim: 'The other agent cannot be read, so it is not known what it sees.',
    expected: 'the status of the other agent',
    quote: message,
  });
}

function seenBy({ peer, at }: PeerView): string {
  return `At ${utcText(at)} the agent ${peer} saw`;
}
