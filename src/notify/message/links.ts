import type { Cause } from '../../engine/cause.ts';
import type { Notification } from '../../engine/incident/notification.ts';
import type { MessageContext } from './message-context.ts';

/**
 * What a message links to; null: nowhere, since an address that a phone cannot open helps nobody. A link only opens:
 * it changes nothing and carries no token, for scanners of mail follow it.
 */
export interface Links {
  /** The incident; the list of them for several; the status page for what is about ftm-watch itself. */
  readonly page: string | null;
  readonly runbook: string | null;
}

type LinkBases = Pick<MessageContext, 'publicUrl' | 'runbookUrl'>;

/** Of one incident: in a message about it, in a digest, in a pushed alert. */
export function incidentLinks(
  { id, cause }: { readonly id: string; readonly cause: Pick<Cause, 'id'> },
  bases: LinkBases,
): Links {
  return { page: below(bases.publicUrl, `incidents/${encodeURIComponent(id)}`), runbook: runbookLink(cause.id, bases) };
}

function runbookLink(cause: string, { publicUrl, runbookUrl }: LinkBases): string | null {
  return runbookUrl === null ? below(publicUrl, `runbooks/${cause}`) : below(runbookUrl, cause);
}

export function notificationLinks(notification: Notification, bases: LinkBases): Links {
  switch (notification.kind) {
    case 'incident':
      return incidentLinks(notification.incident, bases);
    case 'digest':
      return { page: below(bases.publicUrl, 'incidents'), runbook: null };
    case 'note':
    case 'test':
      return { page: below(bases.publicUrl, ''), runbook: null };
  }
}

/** What `Links.page` leads to, by the kind of the notification. */
export const PAGE_TITLES: Readonly<Record<Notification['kind'], string>> = {
  incident: 'Incident',
  digest: 'Incidents',
  test: 'Status page',
  note: 'Status page',
};

function below(base: string | null, path: string): string | null {
  return base === null ? null : `${base.replace(/\/+$/u, '')}/${path}`;
}
