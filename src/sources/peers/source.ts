import * as z from 'zod';
import type { Millis } from '../../core/clock.ts';
import {
  type PeerObservation,
  type PeerView,
  PEER_ALONE,
  PEER_INSTEAD,
  type PeerCause,
  type PeerPrecondition,
} from '../../core/round.ts';
import { startApart } from '../../schedule/start-apart.ts';
import type { SlowSource, SlowUnit, GaugeDefinition, SourceMetrics } from '../source.ts';
import { instantText } from '../../core/time-text.ts';
import { ProbeError } from '../../network/failure.ts';
import {
  type ConnectorContext,
  failed,
  statusFailure,
  createHttpGetter,
  secretOf,
} from '../../network/rest/json-exchange.ts';
import { visibleText } from '../../core/visible-text.ts';
import { authorityFile, optionalSecret } from '../../config/schema/secret.ts';
import { textAt, unique, list, section, name } from '../../config/schema/section.ts';
import { httpsOrigin } from '../../config/schema/endpoints.ts';

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

/** A longer text is nothing that an ftm-watch says. */
const MAX_TEXT = 300;
/** More causes than any site has at once. */
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
 * Reads what `/api/v1/status` answered: hostile text.
 * @throws {ProbeError} when it is not that of an ftm-watch, or of a version that is not understood
 */
function parseStatus(peer: string, value: unknown): PeerView {
  const read = status.safeParse(value);
  if (!read.success)
    throw new ProbeError('protocol', 'Cannot read the answer: expected the status of an ftm-watch of this version');
  const { at, preconditions, causes } = read.data;
  return { kind: 'seen', peer, at, preconditions, causes: causes.slice(0, MAX_CAUSES) };
}

const READABLE: GaugeDefinition = {
  name: 'ftm_peer_readable',
  help: '1 if the status of another agent of the site could be read, otherwise 0',
  labels: ['peer'],
};

const PEER_METRICS: SourceMetrics<readonly PeerObservation[], object> = {
  gauges: [READABLE],
  readings: (peers) =>
    peers.map(({ peer, kind }) => ({ gauge: READABLE, labels: { peer }, value: kind === 'seen' ? 1 : 0 })),
};

const peer = section({
  name: name.describe('Name in the evidence.'),
  url: httpsOrigin('https://10.0.0.9:9843').describe('Address of its status page, "https://" without a path.'),
  token: optionalSecret('token', 'File with one of its "web.tokens" with the role read.'),
  caFile: authorityFile,
});

type PeerConfig = z.output<typeof peer>;

const peersSection = unique(list(peer), textAt('name'));

/** Each costs a TLS handshake of this machine. */
const GAP: Millis = 16;

interface Sections {
  readonly peers: readonly PeerConfig[];
}

/** Other agents, whose view of the path is evidence. Empty: not asked yet. */
export const peers: SlowSource<'peers', Sections, readonly PeerObservation[]> = {
  id: 'peers',
  runs: 'appliance',
  sections: {
    peers: peersSection.describe(
      "Other ftm-watch agents in FortiAuthenticator's own network segment. Their status is read on " +
        '`schedule.appliance`.',
    ),
  },
  isConfigured: (settings) => settings.peers.length > 0,
  unseen: () => [],
  observe: (settings, look) => startApart(unitsOf(settings), { ...look, gap: GAP }, (unit) => unit.ask(look)),
  units: unitsOf,
  metrics: PEER_METRICS,
};

function unitsOf({ peers: all }: Sections): readonly SlowUnit<object, PeerObservation>[] {
  return all.map((peer) => ({ name: peer.name, ask: (look) => observePeer(peer, look) }));
}
