import type { EpochMs, Millis } from '../core/clock.ts';
import type { AppliancePolling } from '../core/polling/report.ts';
import { certificateEnd } from '../core/round.ts';
import { listens } from '../core/polling/state.ts';
import { valueOf } from '../core/observation.ts';
import { type Quantity, QUANTITY_UNITS, type QuantityId } from '../engine/model.ts';
import type { Facts } from './check.ts';
import { redeemDeadlines } from './license-assignment/judge.ts';
import { supplyOf } from './token-pool/judge.ts';

/** The numbers that people watch besides the verdict. Unknown numbers are left out. Ordered by ID and subject. */
export function quantitiesOf(facts: Facts): readonly Quantity[] {
  const known = new Map(allKnown(facts).map((one) => [`${one.id} ${one.subject}`, one]));
  return [...known].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, quantity]) => quantity);
}

function allKnown({ config, at, round, picture, log, agent }: Facts): readonly Quantity[] {
  const { appliances: units, registration } = picture;
  return [
    ...round.targets.flatMap(({ path }) => certificateDays(path.subject, certificateEnd(path), at)),
    ...round.observations.mail.flatMap((seen) => certificateDays(seen.server, seen.certificateNotAfter, at)),
    ...(agent?.certificates ?? []).flatMap(({ owner, end }) => certificateDays(owner, end, at)),
    ...redeemDeadlines({ units, registration, at }).map(({ license, left }) => quantity('license-days', license, left)),
    // After the log sources were removed from the configuration, earlier lines are still stored.
    ...(log.kind === 'heard' && listens(config) ? log.report.appliances.filter(isHeard) : []).map(
      ({ name, errorsWithinHour }) => quantity('polling-errors', name, errorsWithinHour),
    ),
    ...units.flatMap(({ config: { name }, rest }) => {
      if (rest?.kind !== 'ok') return [];
      const supply = supplyOf(valueOf(rest.licensed), valueOf(rest.tokens));
      const sms = valueOf(rest.sms);
      return [
        ...(supply === null ? [] : [quantity('tokens-free', name, supply.left)]),
        // A unit without purchased messages uses a separate SMS gateway or does not send SMS messages.
        ...(sms === null || sms.total === 0 ? [] : [quantity('sms-left', name, sms.available)]),
      ];
    }),
  ];
}

function quantity(id: QuantityId, subject: string, value: number): Quantity {
  return { id, subject, value, unit: QUANTITY_UNITS[id] };
}

const DAY: Millis = 86_400_000;

/** Whole days, so that an expired certificate has a negative number. */
function certificateDays(subject: string, end: EpochMs | null, at: EpochMs): readonly Quantity[] {
  return end === null ? [] : [quantity('certificate-days', subject, Math.floor((end - at) / DAY))];
}

/** The errors of an appliance that sends no lines are unknown. */
function isHeard({ lastLineAt, silent }: AppliancePolling): boolean {
  return lastLineAt !== null && !silent;
}
