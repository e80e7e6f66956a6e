import type { Millis } from '../../core/clock.ts';
import { spanText } from '../../core/time-text.ts';
import type { ApplianceFacts, ApplianceObservation, HaRoleObservation } from '../../core/license/appliance.ts';
import type { FactUse, KnownFact } from '../../core/license/firmware.ts';
import { type Finding, note } from '../../engine/model.ts';
import type { SnmpConfig } from '../../config/schema/connectors.ts';
import { type OwnClock, wasClockSet } from '../clock/estimate.ts';
import { withAppliance } from '../check.ts';
import type { ApplianceCause } from './causes.ts';

/** FortiAuthenticator can start to reject codes from this deviation, because the phone's clock can be wrong as well. */
const CLOCK_WARNING: Millis = 20_000;
/** Time-based codes are valid for 60 s (ta-p/190925). */
const CODES_REJECTED: Millis = 60_000;
/** Usual precision of a `Date` header. A less precise measurement must show a larger deviation. */
const USUAL_PRECISION: Millis = 1000;

export function judgeApplianceClock(
  facts: ApplianceFacts,
  ownClock: OwnClock | null,
): readonly Finding<ApplianceCause>[] {
  const { clock } = facts;
  if (clock === null) return [];
  // Measurements from before this machine's clock was set cannot be compared with its current time.
  if (ownClock !== null && wasClockSet(clock.clockBase, ownClock.clockBase)) return [];
  const estimate = ownClock?.estimate ?? null;
  const isConfirmed = estimate?.trusted === true;
  const isOwnWrong = isConfirmed && Math.abs(estimate.offsetMs) > estimate.precisionMs;
  const skew = clock.offsetMs - (isOwnWrong ? estimate.offsetMs : 0);
  const precision = clock.precisionMs + (isOwnWrong ? estimate.precisionMs : 0);
  const proven = Math.abs(skew) - Math.max(0, precision - USUAL_PRECISION);
  if (proven < CLOCK_WARNING) return [];
  const found = `${spanText(Math.round(Math.abs(skew) / 1000) * 1000)} ${skew > 0 ? 'ahead' : 'behind'}`;
  const expected = `a deviation of less than ${spanText(CLOCK_WARNING)}`;
  const rule = 'appliance-clock-agrees';
  if (!isConfirmed) {
    const claim = `The clock of FortiAuthenticator is ${found}, compared with this machine, whose clock is not confirmed.`;
    return [note(withAppliance(facts, { rule, claim, expected }))];
  }
  const told = withAppliance(facts, { rule, claim: `The clock of FortiAuthenticator is ${found}.`, expected });
  return [
    {
      ...told,
      // Each faulty part of a unit (clock, memory, firmware) is reported as a separate fault.
      subject: `clock of ${facts.appliance}`,
      level: 'warning',
      suggests: 'appliance-clock-skewed',
      ...(proven >= CODES_REJECTED ? { kind: 'codes-rejected' } : {}),
      facts: { ...told.facts, found },
    },
  ];
}

const KB_PER_GB = 1024 * 1024;

function missingMemory({ system }: ApplianceFacts, known: readonly KnownFact[]): MissingMemory | null {
  const { memoryKb } = system;
  const [need] = factsFor(known, 'memory');
  const least = need?.fact.leastMemoryKb ?? null;
  if (memoryKb === null || need === undefined || least === null || memoryKb >= least) return null;
  return { found: `${(memoryKb / KB_PER_GB).toFixed(1)} GB`, version: need.version };
}

interface MissingMemory {
  readonly found: string;
  readonly version: string;
}

export function judgeMemory(facts: ApplianceFacts, known: readonly KnownFact[]): readonly Finding<ApplianceCause>[] {
  const missing = missingMemory(facts, known);
  if (missing === null) return [];
  const { found, version } = missing;
  const told = withAppliance(facts, {
    rule: 'memory-suffices',
    claim: `FortiAuthenticator has ${found} of memory, and firmware ${version} needs at least 4 GB.`,
    expected: 'at least 4 GB of memory',
  });
  return [
    {
      ...told,
      subject: `memory of ${facts.appliance}`,
      level: 'warning',
      suggests: 'appliance-memory-low',
      facts: { ...told.facts, found },
    },
  ];
}

interface KnownUnit {
  readonly config: { readonly name: string };
  readonly rest: ApplianceObservation | null;
  readonly known?: readonly KnownFact[];
}

/**
 * Names insufficient memory as a possible reason for other faults, without changing their level.
 * @param ofUnit the name of the unit that has the fault, or null if any unit can have it
 */
export function memoryBeside(
  faults: readonly Finding[],
  units: readonly KnownUnit[],
  ofUnit: (fault: Finding) => string | null,
): readonly Finding[] {
  const beside = faults.flatMap((fault) => {
    const unit = ofUnit(fault);
    return units.flatMap(({ config, rest, known = [] }): Finding | [] => {
      const missing =
        rest?.kind === 'ok' && (unit === null || config.name === unit) ? missingMemory(rest, known) : null;
      return missing === null ? [] : besideOf(fault, config.name, missing);
    });
  });
  return [...new Map(beside.map((finding) => [`${finding.subject} ${finding.claim}`, finding])).values()];
}

function besideOf({ subject, suggests, facts }: Finding, unit: string, { found, version }: MissingMemory): Finding {
  return {
    rule: 'memory-suffices',
    subject,
    claim:
      `Low memory is another possible reason, because provisioning and push fail while the unit swaps: ${unit} has ${found}, ` +
      `but firmware ${version} needs 4 GB.`,
    expected: 'at least 4 GB of memory',
    level: 'note',
    suggests,
    ...(facts === undefined ? {} : { facts }),
  };
}

/** Known memory and SNMP issues are reported only together with a memory or SNMP fault. */
export function judgeFirmware(facts: ApplianceFacts, known: readonly KnownFact[]): readonly Finding<ApplianceCause>[] {
  return [...factsFor(known, 'outage'), ...factsFor(known, 'note')].map((one) => note(factNote(facts, one)));
}

/** The firmware may not support SHA-1. */
export function judgeSnmpHash(
  facts: ApplianceFacts,
  known: readonly KnownFact[],
  snmp: Pick<SnmpConfig, 'user' | 'authProtocol'> | null,
  role: HaRoleObservation | null,
): readonly Finding<ApplianceCause>[] {
  const usesSha1 = snmp !== null && snmp.user !== null && (snmp.authProtocol ?? 'sha') === 'sha';
  if (role?.kind !== 'failed' || !usesSha1) return [];
  return factsFor(known, 'snmp-sha1').map((one) => note(factNote(facts, one)));
}

function factsFor(known: readonly KnownFact[], use: FactUse): readonly KnownFact[] {
  return known.filter(({ fact }) => fact.use === use);
}

function factNote(facts: ApplianceFacts, { fact, version, isUncertain }: KnownFact) {
  const { id, summary, todo, source } = fact;
  return withAppliance(facts, {
    rule: 'firmware-known',
    claim: isUncertain
      ? `${id} does not mention firmware ${version}, which may be affected too: ${todo}.`
      : `Firmware ${version} ${summary}: ${todo}.`,
    expected: 'firmware without known issues that affect activation or access by ftm-watch',
    actual: `${version}: ${id}, ${isUncertain ? 'which does not mention this version' : 'affected'} (${source})`,
  });
}
