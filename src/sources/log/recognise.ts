import type { FirewallEvidence } from '../../core/polling/log-event.ts';
import type { FirewallSignature, MessageSignature, SignatureSet } from '../../core/polling/signature.ts';
import {
  matchApplianceEvent,
  matchEvent,
  matchExplaining,
  matchField,
  matchFirewall,
  matchLoosely,
  matchMessage,
} from '../../core/polling/signature.ts';
import { readEnvelope, type Body, type Envelope } from './envelope.ts';

/** A line that says something. `event`: a FortiGate, of tokens of its own. */
export type Recognition =
  | { readonly kind: 'ftm' | 'event'; readonly signature: MessageSignature; readonly envelope: Envelope }
  | {
      readonly kind: 'firewall';
      readonly signature: FirewallSignature;
      readonly evidence: FirewallEvidence;
      readonly envelope: Envelope;
    };

/**
 * What a line of the stream says; null: nothing to us. A text counts only where FortiAuthenticator puts its message,
 * never inside a field: the user name is chosen by anyone who fails to log in.
 */
export function recogniseLine(set: SignatureSet, line: string): Recognition | null {
  const envelope = readEnvelope(line);
  if (envelope.own) return null;
  switch (envelope.body.kind) {
    case 'fields':
      return recogniseFields(set, envelope, envelope.body.fields);
    case 'message': {
      const signature = matchBody(set, envelope.body);
      return signature === null ? null : { kind: 'ftm', signature, envelope };
    }
  }
}

/** Where collectors put a message that they take apart: `msg="…"`, `"message": "…"`. */
const MESSAGE_FIELD = /(?<![\w-])(?:msg|message)"?[=:] ?"/iu;

/** The log id of a FortiOS event, also in CEF and in what was cut out of a line. */
const FORTIOS_LOG_ID = /\b(?:FTNTFGT)?log_?id="?(\d{10})\b/iu;

/** The id of an event of FortiAuthenticator: `typeid` by syslog, `logid` in the raw export. */
const APPLIANCE_EVENT_ID = /\b(?:typeid|logid)="?(\d{5})\b/u;

/** `unusualPlace`: the text is in a field where FortiAuthenticator does not put it, so that the stream ignores it. */
export type PastedRecognition = Recognition & { readonly unusualPlace: boolean };

/** The same for a line that a person pasted, who may have cut it anywhere. */
export function recognisePasted(set: SignatureSet, line: string): PastedRecognition | null {
  const exact = recogniseLine(set, line);
  if (exact !== null) return { ...exact, unusualPlace: false };
  const envelope = readEnvelope(line);
  if (envelope.own) return null;
  const [, logId] = FORTIOS_LOG_ID.exec(line) ?? [];
  if (logId !== undefined) {
    const event = eventOf(set, envelope, logId);
    return event === null ? null : { ...event, unusualPlace: false };
  }
  const { body } = envelope;
  const explained = explainOnly(set, line, body);
  if (explained !== null) return { kind: 'ftm', signature: explained, envelope, unusualPlace: false };
  const complete = body.kind === 'fields' || body.complete;
  // A message that is where it belongs was judged above.
  if (body.kind === 'message' && complete && body.alternatives.some((texts) => texts.length > 0)) return null;
  const inField = sameOf(
    line
      .split(MESSAGE_FIELD)
      .slice(1)
      .map((value) => matchField(set, value)),
  );
  if (inField !== null) return { kind: 'ftm', signature: inField, envelope, unusualPlace: true };
  // Only a text without fields may have been cut.
  const signature = complete ? null : matchLoosely(set, line);
  return signature === null ? null : { kind: 'ftm', signature, envelope, unusualPlace: false };
}

function recogniseFields(
  set: SignatureSet,
  envelope: Envelope,
  fields: ReadonlyMap<string, string>,
): Recognition | null {
  const signature = matchFirewall(set, fields);
  if (signature === null) return eventOf(set, envelope, fields.get('logid') ?? '');
  const first = (...keys: readonly string[]): string | null => {
    const key = keys.find((name) => (fields.get(name) ?? '') !== '');
    return key === undefined ? null : (fields.get(key) ?? null);
  };
  const evidence: FirewallEvidence = {
    device: first('devname', 'devid'),
    policy: first('policyid'),
    profile: first('profile'),
    action: first('action'),
    sourceAddress: first('srcip'),
    destinationAddress: first('dstip'),
    hostName: first('hostname', 'sni'),
  };
  return { kind: 'firewall', signature, evidence, envelope };
}

/** Null for a log id that the catalogue does not know. */
function eventOf(set: SignatureSet, envelope: Envelope, logId: string): Recognition | null {
  const signature = matchEvent(set, logId);
  return signature === null ? null : { kind: 'event', signature, envelope };
}

type MessageBody = Extract<Body, { kind: 'message' }>;

/** Ordinary events, and what says nothing about activation by itself: by their words, otherwise by their id. */
function explainOnly(set: SignatureSet, line: string, body: Body): MessageSignature | null {
  if (body.kind !== 'message' || !body.complete) return null;
  const byWords = matchBody(set, body, matchExplaining);
  return byWords ?? matchApplianceEvent(set, APPLIANCE_EVENT_ID.exec(line)?.[1] ?? '');
}

function matchBody(set: SignatureSet, { alternatives }: MessageBody, match = matchMessage): MessageSignature | null {
  for (const texts of alternatives) {
    const same = sameOf(texts.map((text) => match(set, text)));
    if (same !== null) return same;
  }
  return null;
}

/** Somebody else wrote a part of a line whose texts differ. */
function sameOf([first = null, ...others]: readonly (MessageSignature | null)[]): MessageSignature | null {
  return others.every((other) => other === first) ? first : null;
}
