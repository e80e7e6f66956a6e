import type { MailCause } from './causes.ts';
import type { Finding } from '../../engine/finding.ts';
import type { MailObservation } from '../../core/observation.ts';
import { GREYLISTED } from './expectations.ts';
import { judgeMail } from './judge.ts';
import { judgeRecipientServer } from './judge-recipient-server.ts';
import { judgeDeferral } from './judge-deferral.ts';
import { withMore } from '../../engine/words/claim.ts';
import type { MailView } from './mail-view.ts';

interface JudgedServer {
  readonly seen: MailObservation;
  readonly findings: readonly Finding<MailCause>[];
}

/** Judges all mail servers together: one that works carries the codes while another does not. */
export function judgeMailServers(servers: readonly MailObservation[], view: MailView): readonly Finding<MailCause>[] {
  const judged = servers.map((seen): JudgedServer => ({ seen, findings: judgeMail(seen, view) }));
  const working = judged.find(isAccepting) ?? judged.find(acceptsLater);
  if (working === undefined)
    return [
      ...judged.flatMap(({ findings }) => findings),
      ...(servers[0]?.recipientServers ?? []).flatMap(judgeRecipientServer),
      ...judged.flatMap(judgeDelay),
    ];
  const aside = `${working.seen.server} accepts messages meanwhile${isAccepting(working) ? '' : ', after a delay'}`;
  return judged.flatMap((each) => [
    ...(each.seen.required ? each.findings : each.findings.map((finding) => besideOneThatWorks(finding, aside))),
    ...judgeDelay(each),
  ]);
}

/** One that refuses for another reason is late for that reason. */
function judgeDelay(judged: JudgedServer): readonly Finding<MailCause>[] {
  return isAccepting(judged) || isGreylisting(judged) ? judgeDeferral(judged.seen) : [];
}

function isAccepting({ findings }: JudgedServer): boolean {
  return findings.length === 0;
}

function isGreylisting({ findings }: JudgedServer): boolean {
  return findings.some(({ kind }) => kind === GREYLISTED.kind);
}

/** Without a measured delay it is shorter than any code lives; where nobody tells their life, the shortest counts. */
function acceptsLater(judged: JudgedServer): boolean {
  const { deferral } = judged.seen;
  if (!isGreylisting(judged)) return false;
  return deferral === undefined || (deferral.codeLife !== null && deferral.lasted < deferral.codeLife);
}

function besideOneThatWorks(finding: Finding<MailCause>, aside: string): Finding<MailCause> {
  if (finding.level !== 'broken') return finding;
  const claim = withMore(finding.claim, '; ', aside);
  return { ...finding, level: 'warning', claim, actual: `${finding.actual}; ${aside}` };
}
