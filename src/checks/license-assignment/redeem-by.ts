import type { AssignmentCause } from './causes.ts';
import type { EpochMs, Millis } from '../../core/clock.ts';
import { dayText } from '../../core/instant-text.ts';
import { holdsTokensOf } from '../../core/license/activation-context.ts';
import type { RegistrationObservation } from '../../core/license/registration.ts';
import { sameSerial } from '../../core/license/unit.ts';
import type { Confidence } from '../../engine/cause.ts';
import { type Finding, known } from '../../engine/finding.ts';
import type { UnitObservation } from '../../sources/appliances/unit-observation.ts';

const DAY: Millis = 86_400_000;

/** How many days before the date which of them is told. */
const STAGES: readonly (readonly [days: number, cause: AssignmentCause])[] = [
  [0, 'license-expired'],
  [7, 'license-expires-in-7-days'],
  [30, 'license-expires-in-30-days'],
  [90, 'license-expires-in-90-days'],
];

interface RedeemInput {
  readonly units: readonly UnitObservation[];
  readonly registration: RegistrationObservation | null;
  readonly at: EpochMs;
}

/**
 * Licences that are bought and not redeemed, near the date that their certificate names. No interface tells this date:
 * it is typed in the configuration, and nothing is said of a licence that is redeemed, or may well be.
 */
export function judgeRedeemBy(input: RedeemInput): readonly Finding[] {
  const certificates = new Map(
    input.units.flatMap(({ config }) => config.certificates).map((one) => [one.license.toUpperCase(), one]),
  );
  return [...certificates.values()].flatMap(({ license, redeemBy }): readonly Finding[] => {
    // The zone of the date is not printed on it: the day counts to its end in UTC.
    const left = redeemBy === null ? null : Math.ceil((redeemBy + DAY - input.at) / DAY);
    const stage = left === null ? undefined : STAGES.find(([days]) => left <= days);
    if (redeemBy === null || left === null || stage === undefined) return [];
    const confidence = notRedeemed(license, input);
    if (confidence === null) return [];
    const [, suggests] = stage;
    const date = dayText(redeemBy);
    return [
      {
        rule: 'license-redeemed-in-time',
        subject: license,
        claim:
          left <= 0
            ? `The licence had to be redeemed by ${date}, and ${REASON[confidence]}.`
            : `The licence must be redeemed by ${date}: ${daysText(left)}, and ${REASON[confidence]}.`,
        expected: `redeemed by ${date}, as its certificate says`,
        actual: `${daysText(left)}, and ${REASON[confidence]}`,
        level: 'warning',
        suggests,
        confidence,
        facts: known({ license, date }),
      },
    ];
  });
}

function daysText(left: number): string {
  if (left <= 0) return 'the date has passed';
  return left === 1 ? 'it is the last day' : `${String(left)} days are left`;
}

const REASON: Readonly<Record<Confidence, string>> = {
  confirmed: 'no unit has tokens of it',
  suspected: 'whether it is redeemed is not known',
};

/** Null: it is redeemed, or its source cannot be asked now. */
function notRedeemed(license: string, { units, registration }: RedeemInput): Confidence | null {
  const held = units.filter(({ config: { api } }) => api !== null).map(({ rest }) => holdsTokensOf(rest, license));
  // One that is registered to a unit was probably redeemed; no source says that it must have been.
  const isRegistered = isRegisteredIn(registration, license);
  if (held.length === 0) return isRegistered ? null : 'suspected';
  if (held.some((hasTokens) => hasTokens !== false)) return null;
  return isRegistered ? 'suspected' : 'confirmed';
}

function isRegisteredIn(registration: RegistrationObservation | null, license: string): boolean {
  const lookups = registration?.kind === 'ok' ? registration.lookups : [];
  return lookups.some((one) => sameSerial(one.license, license) && one.outcome.kind === 'registered');
}
