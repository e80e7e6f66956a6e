import type { Incident, IncidentState, Delivery, JournalEntry } from '../../../src/engine/incident/incident.ts';
import type { RoundRecord } from '../../../src/store/store.ts';
import { causeOf, diagnosisOf } from '../checks/diagnosis-of.ts';
import { SECOND, START, timeline } from './incident-timeline.ts';

/** Returns an incident that opened, with its mail to two people. */
export function openedEntry(): JournalEntry {
  const line = timeline().rounds(2, [causeOf('tls-intercepted')]);
  const [notification] = line.told;
  if (notification === undefined) throw new Error('Nothing was told');
  return {
    state: line.state,
    incidents: line.state.incidents,
    outboxEntries: ['a@example.org', 'b@example.org'].map((recipient) => ({
      notification,
      delivery: pendingDelivery(notification.id, recipient),
    })),
  };
}

/** Returns the state of `openedEntry` in a copy: open as far as known, and reported again if it persists. */
export function openedInCopy(): IncidentState {
  const { state } = openedEntry();
  const incidents = state.incidents.map(
    (incident): Incident => ({
      ...incident,
      presence: 'unverified',
      lastNotified: null,
      awaitsDigest: true,
    }),
  );
  return { ...state, origin: '', incidents };
}

function pendingDelivery(notificationId: string, recipient: string): Delivery {
  return {
    notificationId,
    channel: 'email',
    recipient,
    status: 'pending',
    createdAt: START,
    attempts: 0,
    firstFailedAt: null,
    nextAttemptAt: START,
    finishedAt: null,
    detail: '',
  };
}

export function sentDelivery(delivery: Delivery | undefined): Delivery {
  if (delivery === undefined) throw new Error('No delivery');
  return { ...delivery, status: 'sent', finishedAt: START + SECOND, attempts: 1 };
}

export function roundRecord(at: number, state: 'ok' | 'broken' = 'ok', durationMs = 12.5): RoundRecord {
  return {
    at,
    knownFor: 10 * 60_000,
    samples: [{ probe: 'tls', target: 'host:443', durationMs, failure: state === 'ok' ? null : 'timeout' }],
    preconditions: diagnosisOf(at, state === 'ok' ? [] : [causeOf('tls-intercepted')]).preconditions,
    certificates: [{ target: 'host:443', fingerprint: 'AA:BB', pem: '-----BEGIN CERTIFICATE-----' }],
    hourlyValues: [],
  };
}
