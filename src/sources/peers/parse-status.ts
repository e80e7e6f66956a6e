import * as z from 'zod';
import {
  PEER_ALONE,
  PEER_INSTEAD,
  type PeerCause,
  type PeerPrecondition,
  type PeerView,
} from '../../core/peer-view.ts';
import { visibleText } from '../../core/visible-text.ts';
import { ProbeError } from '../../network/failure.ts';

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
export function parseStatus(peer: string, value: unknown): PeerView {
  const read = status.safeParse(value);
  if (!read.success)
    throw new ProbeError('protocol', 'Cannot read the answer: expected the status of an ftm-watch of this version');
  const { at, preconditions, causes } = read.data;
  return { kind: 'seen', peer, at, preconditions, causes: causes.slice(0, MAX_CAUSES) };
}
