import type { MailCause } from './causes.ts';
import type { Finding } from '../../engine/finding.ts';
import type { MailObservation } from '../../core/observation.ts';
import { judgeMail } from './judge.ts';
import { judgeRecipientServer } from './judge-recipient-server.ts';
import { judgeDeferral } from './judge-deferral.ts';
import { withMore } from '../../engine/words/claim.ts';
import type { MailView } from './mail-view.ts';

/** Judges all mail servers together: one that works carries the codes while another does not. */
export function judgeMailServers(servers: readonly MailObservation[], view: MailView): readonly Finding<MailCause>[] {
  const judged = servers.map((seen) => ({ seen, findings: judgeMail(seen, view) }));
  const working = judged.find(({ findings }) => findings.length === 0);
  if (working === undefined)
    return [
      ...judged.flatMap(({ findings }) => findings),
      ...(servers[0]?.recipientServers ?? []).flatMap(judgeRecipientServer),
      ...servers.flatMap(judgeDeferral),
    ];
  return judged.flatMap(({ seen, findings }) => [
    ...(seen.required ? findings : findings.map((finding) => besideOneThatWorks(finding, working.seen.server))),
    ...judgeDeferral(seen),
  ]);
}

function besideOneThatWorks(finding: Finding<MailCause>, working: string): Finding<MailCause> {
  if (finding.level !== 'broken') return finding;
  const aside = `${working} accepts messages meanwhile`;
  const claim = withMore(finding.claim, '; ', aside);
  return { ...finding, level: 'warning', claim, actual: `${finding.actual}; ${aside}` };
}
