import type { Clock, EpochMs, Millis } from '../../core/clock.ts';
import type { MailOutcome } from '../../core/observation.ts';

/** Whom a server has let in once, it lets in for long: what was measured says something of others for as long. */
const KEPT: Millis = 24 * 3_600_000;

/** How long mail servers put this machine off with "come back later" (greylisting), over the rounds. */
export interface MailDeferrals {
  /**
   * What is known of one after another look: from the first refusal until it took the message, or until now. Null: it
   * never put anybody off.
   */
  note(server: string, outcome: MailOutcome): Millis | null;
}

interface Deferral {
  readonly since: EpochMs;
  /** null: it goes on. */
  readonly until: EpochMs | null;
}

export function createMailDeferrals({ now }: Pick<Clock, 'now'>): MailDeferrals {
  const deferrals = new Map<string, Deferral>();
  return {
    note: (server, outcome) => {
      const next = nextDeferral(deferrals.get(server) ?? null, outcome, now());
      if (next === null) {
        deferrals.delete(server);
        return null;
      }
      deferrals.set(server, next);
      return (next.until ?? now()) - next.since;
    },
  };
}

function nextDeferral(before: Deferral | null, outcome: MailOutcome, at: EpochMs): Deferral | null {
  const open = before?.until === null ? before : null;
  const over = open === null ? before : null;
  if (outcome.kind === 'accepted') return open === null ? whileKept(over, at) : { ...open, until: at };
  if (isPutOff(outcome)) return open ?? { since: at, until: null };
  // A server that was lost meanwhile, or refuses for good, did not put off: when it would have taken it is not known.
  return over;
}

function whileKept(over: Deferral | null, at: EpochMs): Deferral | null {
  return over !== null && at - (over.until ?? at) <= KEPT ? over : null;
}

/** RFC 5321 §4.2.1: 4yz asks to come back later. */
function isPutOff({ reason, stage, code }: Extract<MailOutcome, { kind: 'failed' }>): boolean {
  const isTemporary = code !== null && code >= 400 && code < 500;
  return reason === 'rejected' && isTemporary && (stage === 'sender' || stage === 'recipient');
}
