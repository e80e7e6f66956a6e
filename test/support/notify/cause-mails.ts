import { CAUSE_IDS } from '../../../src/checks/registry.ts';
import type { EpochMs } from '../../../src/core/clock.ts';
import { EMPTY_STATE, type IncidentState, type Notification } from '../../../src/engine/incident/incident.ts';
import { systemClock } from '../../../src/system/clock.ts';
import { mailChannel } from './channel-bench.ts';
import { HOUR, timeline } from '../store/incident-timeline.ts';
import { AT_HQ } from '../checks/message-context.ts';
import { createMailServer } from '../mail/mail-server.ts';
import { wordedCause } from '../checks/worded-cause.ts';

/** Notifications about every cause that is reported, about several causes at once and about none. */
export interface CauseStory {
  readonly told: readonly Notification[];
  /** State while all of them are open. */
  readonly open: IncidentState;
}

/** Returns a story that began some hours before `now`. */
export function causeStory(now: EpochMs = systemClock.now()): CauseStory {
  const causes = CAUSE_IDS.map(wordedCause).filter(({ severity }) => severity !== 'info');
  // Each has a timeline of its own, because many of them are causes of the same fault.
  const stories = causes.map((cause, index) => {
    const line = timeline();
    line.now = now - 5 * HOUR;
    line.state = { ...line.state, counter: index };
    const open = line.rounds(2, [cause]).state;
    line
      .wait(4 * HOUR)
      .tick()
      .rounds(2, []);
    return { open, told: line.told };
  });
  const incidents = stories.flatMap(({ open }) => open.incidents);
  const items = incidents.map((incident) => ({ event: 'firing', incident }) as const);
  return {
    open: { ...EMPTY_STATE, incidents },
    told: [
      ...stories.flatMap(({ told }) => told),
      { kind: 'digest', id: 'digest-1', at: now, items, omitted: 0, omittedOpen: 0, stillOpen: [] },
      { kind: 'test', id: 'test-1', at: now },
    ],
  };
}

/** Returns the notifications as mails on the wire, in order. */
export async function mailsOf(told: readonly Notification[], publicUrl: string | null): Promise<readonly string[]> {
  await using sink = await createMailServer();
  const relay = {
    host: '127.0.0.1',
    port: sink.port,
    security: 'none',
    user: null,
    password: null,
    caFile: null,
  } as const;
  const channel = mailChannel(
    { from: 'FTM watch <ftm-watch@example.org>', to: ['admins@example.org'], servers: [relay], minSeverity: 'warning' },
    { ...AT_HQ, timezone: 'Europe/Berlin', publicUrl, clock: systemClock, readSecret: () => Promise.resolve('') },
  );
  for (const notification of told) {
    const [outcome] = await channel.deliver(
      { notification, recipients: channel.recipients, firstFailedAt: null },
      new AbortController().signal,
    );
    if (outcome?.kind !== 'sent') throw new Error(`The mail was not taken: ${outcome?.detail ?? 'nobody was asked'}`);
  }
  return sink.mails.map(({ raw }) => raw);
}
