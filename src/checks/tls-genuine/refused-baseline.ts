import { formatDistinguishedName } from '../../core/distinguished-name.ts';
import type { Finding } from '../../engine/finding.ts';
import type { RefusedBaseline, TlsKnowledge } from './judge-tls-path.ts';

/** What was learned is not used, but the one who learned it believes that it is. */
export function refusedBaselineFindings(
  subject: string,
  { refusedBaseline }: Pick<TlsKnowledge, 'refusedBaseline'>,
): readonly Finding[] {
  if (refusedBaseline === null) return [];
  return [
    {
      rule: 'learned-trust-is-confirmed',
      subject,
      expected:
        'A learned chain under a configured key or a public authority, or one whose fingerprint was typed when it ' +
        'was learned',
      actual: describeRefused(refusedBaseline),
      level: 'warning',
      suggests: null,
    },
  ];
}

/** As in `learned on 2026-11-24, rests on O=…, SHA-256 AA:…`. */
export function describeRefused({ baseline, unconfirmed }: RefusedBaseline): string {
  const day = new Date(baseline.learnedAt).toISOString().slice(0, 10);
  const name = formatDistinguishedName(unconfirmed.subject);
  return (
    `What was learned on ${day} rests on ${name} (SHA-256 ${unconfirmed.fingerprint}) and is not used; ` +
    '"ftm-watch trust learn" says more'
  );
}
