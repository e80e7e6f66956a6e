/**
 * What went over the line so far, as far as stages can be told from it. Replies only: no argument of a command is kept.
 */
export interface Transcript {
  /** For nodemailer's `logger` option, together with `transactionLog`. */
  readonly logger: { readonly debug: (...args: unknown[]) => void };
  /** First reply of the server; null before it was complete. */
  readonly greeting: () => string | null;
  /** The verb sent last; null before the first one. */
  readonly lastVerb: () => string | null;
  /** Whether the last reply to EHLO offers STARTTLS. */
  readonly offersStartTls: () => boolean;
}

const VERB = /^(?:EHLO|HELO|STARTTLS|AUTH|MAIL|RCPT|RSET|QUIT)\b/u;

/** RFC 3207 §4: a keyword of its own on a line of the EHLO reply. */
const STARTTLS_OFFER = /^250[ -]STARTTLS\b/imu;

/** Listens to nodemailer's transaction log: the one public place where it tells which command a reply belongs to. */
export function createTranscript(): Transcript {
  let greeting: string | null = null;
  let lastVerb: string | null = null;
  let offersStartTls = false;
  return {
    logger: {
      debug: (entry, text) => {
        if (typeof text !== 'string') return;
        const direction = directionOf(entry);
        if (direction === 'client') lastVerb = VERB.exec(text)?.[0] ?? lastVerb;
        if (direction !== 'server') return;
        greeting ??= text;
        if (lastVerb === 'EHLO') offersStartTls = STARTTLS_OFFER.test(text);
      },
    },
    greeting: () => greeting,
    lastVerb: () => lastVerb,
    offersStartTls: () => offersStartTls,
  };
}

function directionOf(entry: unknown): unknown {
  return typeof entry === 'object' && entry !== null && 'tnx' in entry ? entry.tnx : null;
}
