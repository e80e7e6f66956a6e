import * as z from 'zod';
import type { Millis } from '../core/clock.ts';
import {
  type PeerObservation,
  type PeerView,
  PEER_ALONE,
  PEER_INSTEAD,
  type PeerCause,
  type PeerPrecondition,
} from '../core/round.ts';
import type { WatchedConfig } from '../config/schema/watched.ts';
import type { ConnectedSystem } from './picture.ts';
import { instantText } from '../core/time-text.ts';
import { ProbeError } from '../network/failure.ts';
import {
  type ConnectorContext,
  failed,
  statusFailure,
  createHttpGetter,
  secretOf,
} from '../network/rest/json-exchange.ts';
import { visibleText } from '../core/visible-text.ts';

const STATUS = '/api/v1/status';

/** If the last round is older than this, the peer has stopped running rounds. Allows for clock differences. */
const MAX_AGE: Millis = 10 * 60_000;

/** Never throws, because failures are part of the observation. */
export async function observePeer(
  peer: WatchedConfig['peers'][number],
  context: ConnectorContext,
): Promise<PeerObservation> {
  const startedAt = context.clock.elapsed();
  try {
    const token = peer.token === null ? null : await secretOf(peer.token, context);
    await using http = await createHttpGetter(
      {
        url: peer.url,
        trust: { caFile: peer.caFile, pin: null },
        authorization: token === null ? null : `Bearer ${token}`,
        secrets: token === null ? [] : [token],
      },
      context,
    );
    const reply = await http.get(STATUS);
    if (reply.kind === 'status')
      return { peer: peer.name, ...statusFailure(peer.url, reply.status, context.clock.elapsed() - startedAt) };
    return fresh(parseStatus(peer.name, reply.value), context);
  } catch (error) {
    return { peer: peer.name, ...failed(error, startedAt, context) };
  }
}

function fresh(view: PeerView, { clock }: ConnectorContext): PeerView {
  if (Math.abs(clock.now() - view.at) <= MAX_AGE) return view;
  throw new ProbeError(
    'protocol',
    `The peer's last check was at ${instantText(view.at)}, so the peer or its clock has stopped`,
  );
}

/** ftm-watch never returns longer strings. */
const MAX_TEXT = 300;
const MAX_CAUSES = 50;

const text = z.string().transform((value) => visibleText(value, MAX_TEXT));

const precondition = z.object({ id: text, state: text, findings: z.array(z.object({ rule: z.string() })) }).transform(
  ({ id, state, findings }): PeerPrecondition => ({
    id,
    state,
    isHearsay: findings.some(({ rule }) => rule === PEER_ALONE || rule === PEER_INSTEAD),
    seesNoFault: state === 'ok' || findings.some(({ rule }) => rule === PEER_ALONE),
  }),
);

const cause: z.ZodType<PeerCause> = z.object({
  id: text,
  precondition: text,
  confidence: z.enum(['confirmed', 'suspected']),
  severity: z.enum(['critical', 'warning', 'info']),
  subject: text,
  product: z.nullable(text),
  summary: text,
});

const status = z.object({
  at: z.iso.datetime().transform((value) => Date.parse(value)),
  preconditions: z.array(precondition),
  causes: z.array(cause),
});

/**
 * The response is untrusted.
 * @throws {ProbeError} when the response is not from ftm-watch or is from an unsupported version
 */
function parseStatus(peer: string, value: unknown): PeerView {
  const read = status.safeParse(value);
  if (!read.success)
    throw new ProbeError(
      'protocol',
      'Cannot read the response: expected the status from the same version of ftm-watch',
    );
  const { at, preconditions, causes } = read.data;
  return { kind: 'seen', peer, at, preconditions, causes: causes.slice(0, MAX_CAUSES) };
}

export function peerSystems({ peers }: Pick<WatchedConfig, 'peers'>): readonly ConnectedSystem<PeerObservation>[] {
  return peers.map((peer) => ({
    name: peer.name,
    unseen: null,
    unanswered: null,
    ask: (context) => observePeer(peer, context),
  }));
}
