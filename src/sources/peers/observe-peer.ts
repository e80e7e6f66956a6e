import type { Millis } from '../../core/clock.ts';
import type { PeerObservation, PeerView } from '../../core/peer-view.ts';
import { instantText } from '../../core/instant-text.ts';
import { ProbeError } from '../../network/failure.ts';
import type { ConnectorContext } from '../../network/rest/context.ts';
import { failed, statusFailure } from '../../network/rest/failed.ts';
import { createHttpGetter } from '../../network/rest/http-get.ts';
import { secretOf } from '../../network/rest/secret.ts';
import { parseStatus } from './parse-status.ts';
import type { PeerConfig } from './section.ts';

const STATUS = '/api/v1/status';

/** A round of a peer is older than this only where its rounds have stopped; clocks may differ by as much. */
const MAX_AGE: Millis = 10 * 60_000;

/** Reads the status of one other ftm-watch. Never throws: what went wrong is part of the observation. */
export async function observePeer(peer: PeerConfig, context: ConnectorContext): Promise<PeerObservation> {
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
    `Its last round was at ${instantText(view.at)}: its rounds or its clock stand still`,
  );
}
