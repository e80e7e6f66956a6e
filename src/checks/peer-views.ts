import { authority, type HostPort } from '../core/authority.ts';
import { instantText, utcText } from '../core/instant-text.ts';
import { type PeerCause, type PeerObservation, type PeerView, PEER_ALONE } from '../core/peer-view.ts';
import type { Assessment } from '../engine/assessment.ts';
import type { Check } from '../engine/check.ts';
import { type Finding, isFault, known, note } from '../engine/finding.ts';

/**
 * What other agents see of a precondition of the path. A fault that they alone see is one of FortiAuthenticator's
 * segment; one that both see is not of this machine. What they do not see never takes anything back.
 */
export function withPeerViews(
  own: Assessment,
  check: Check,
  { peers, licenseServer }: { readonly peers: readonly PeerObservation[]; readonly licenseServer: HostPort },
): Assessment {
  const fault = own.findings.find(isFault);
  const findings = peers.flatMap((peer): readonly Finding[] => {
    if (peer.kind === 'failed') return [];
    const cause = causeOf(peer, check, licenseServer);
    if (cause !== undefined) return [fault === undefined ? alone(peer, cause) : both(peer, cause, fault)];
    return fault !== undefined && isGood(peer, check) ? [otherwise(peer, fault)] : [];
  });
  return findings.length === 0 ? own : { ...own, kind: 'judged', findings: [...own.findings, ...findings] };
}

/** Of a peer that cannot be read, so that nobody counts on it. */
export function unreadablePeers(own: Assessment, peers: readonly PeerObservation[]): Assessment {
  const notes = peers.flatMap((peer) => (peer.kind === 'failed' ? [unreadable(peer.peer, peer.message)] : []));
  return notes.length === 0 ? own : { ...own, findings: [...own.findings, ...notes] };
}

/** A fault of the licence server's path that this check knows, seen by the peer itself. */
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

function isGood(peer: PeerView, check: Check): boolean {
  return stateOf(peer, check)?.state === 'ok';
}

function stateOf(peer: PeerView, { id }: Check): PeerView['preconditions'][number] | undefined {
  return peer.preconditions.find((precondition) => precondition.id === id);
}

function alone(peer: PeerView, { id, subject, product, severity, confidence, summary }: PeerCause): Finding {
  return {
    rule: PEER_ALONE,
    subject,
    claim: `${seenBy(peer)} a fault that this machine does not see.`,
    quote: summary,
    at: peer.at,
    witness: 'peer',
    expected: 'no fault in the segment of FortiAuthenticator, as there is none in that of this machine',
    actual: `${viewText(peer)}: ${summary}`,
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
    actual: isSame
      ? `${viewText(peer)} the same: it is not this machine alone`
      : `${viewText(peer)} something else: ${summary}`,
    level: 'note',
    suggests: isSame ? id : null,
  };
}

function otherwise(peer: PeerView, { subject }: Finding): Finding<never> {
  return note({
    rule: 'peer-sees-the-fault',
    subject,
    claim: `${seenBy(peer)} no fault: it may concern this machine alone.`,
    at: peer.at,
    expected: 'the same fault in the segment of FortiAuthenticator',
    actual: `${viewText(peer)} nothing of it: it may concern the way of this machine alone`,
  });
}

function unreadable(peer: string, message: string): Finding<never> {
  return note({
    rule: 'peer-is-readable',
    subject: peer,
    claim: 'The other agent cannot be read, so it is not known what it sees.',
    expected: 'the status of the other agent',
    actual: `unknown what it sees: ${message}`,
    quote: message,
  });
}

function seenBy({ peer, at }: PeerView): string {
  return `At ${utcText(at)} the agent ${peer} saw`;
}

function viewText({ peer, at }: PeerView): string {
  return `${peer} saw at ${instantText(at)}`;
}
