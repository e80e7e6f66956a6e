import type { Certificate } from '../../core/certificate.ts';
import { called, formatDistinguishedName } from '../../tls/names.ts';
import type { MailObservation } from '../../core/observation.ts';
import { certificatePem } from '../../tls/pem.ts';
import { nameList } from '../../core/visible-text.ts';
import { type Finding, type FindingFacts, note, warning } from '../../engine/model.ts';

/** FortiAuthenticator has no public root authorities, so each root must be imported (ta-p/214959). */
export function judgeAuthority(seen: MailObservation): readonly Finding<'mail-authority-changed'>[] {
  return [...judgeChange(seen), ...noteRoot(seen)];
}

function judgeChange({ server, newRoots = [] }: MailObservation): readonly Finding<'mail-authority-changed'>[] {
  const oldest = newRoots.at(-1);
  if (oldest === undefined) return [];
  const roots = newRoots.map(({ root }) => root);
  return [
    warning('mail-authority-changed', {
      rule: 'mail-authority-stays',
      subject: server,
      claim: `The certificate of the mail server now leads to ${quoted(roots)} instead of ${quoted(oldest.former)}.`,
      expected: 'a root authority that was used in the last 30 days',
      fullNames: roots.map(({ subject }) => formatDistinguishedName(subject)),
      facts: rootFacts(roots),
    }),
  ];
}

/** If the roots of FortiAuthenticator are configured, it has the root, or the missing root is reported as a failure. */
function noteRoot({ server, tls, newRoots = [] }: MailObservation): readonly Finding<never>[] {
  if (tls === undefined || tls.root === null || !tls.isVerified || tls.trust === 'appliance') return [];
  const { root } = tls;
  if (newRoots.some((one) => one.root.pin === root.pin)) return [];
  return [
    note({
      rule: 'mail-authority-trusted',
      subject: server,
      claim:
        `FortiAuthenticator must trust the root authority ${quoted([root])} (Certificate Management > Certificate ` +
        'Authorities > Trusted CAs).',
      expected: 'FortiAuthenticator trusts the root authority',
      fullNames: [formatDistinguishedName(root.subject)],
    }),
  ];
}

export function rootFacts(roots: readonly Certificate[]): FindingFacts {
  return { root: nameList(roots.map(({ subject }) => called(subject))), rootpem: roots.map(certificatePem).join('') };
}

function quoted(roots: readonly Certificate[]): string {
  return nameList(roots.map(({ subject }) => `"${called(subject)}"`));
}
