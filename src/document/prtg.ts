import { visibleText } from '../core/visible-text.ts';
import type { Severity } from '../core/severity.ts';
import type { QuantityId } from '../engine/model.ts';
import { capital } from '../engine/words.ts';
import { ageOf, type Looked, type SeenDiagnosis, siteState, withoutStop } from './site-state.ts';

/**
 * The answer of a custom sensor of PRTG, which the sensors "HTTP Data Advanced", "EXE/Script Advanced" and "SSH Script
 * Advanced" read (https://www.paessler.com/manuals/prtg/custom_sensors#advanced_sensors). It contains either channels
 * or an error.
 */
export type PrtgAnswer =
  | { readonly prtg: { readonly result: readonly PrtgChannel[]; readonly text: string } }
  | { readonly prtg: { readonly error: 1; readonly text: string } };

/** Limits are used only when PRTG creates the channel. Values are integers. */
interface PrtgChannel {
  readonly channel: string;
  readonly value: number;
  readonly unit: 'Custom' | 'Count' | 'TimeSeconds';
  readonly customunit?: string;
  readonly float: 0;
  readonly limitmode?: 1;
  readonly limitmaxwarning?: number;
  readonly limitmaxerror?: number;
  readonly limiterrormsg?: string;
  readonly valuelookup?: 'ftm.watch.state';
}

const MAX_TEXT = 2_000;
const MAX_CHANNEL = 100;
/** PRTG supports no more channels in a sensor. */
const MOST_CHANNELS = 50;

/** The channels' limits and the lookup file give the sensor the same state as the channel `State`. */
export function prtgAnswer(diagnosis: SeenDiagnosis, looked: Looked): PrtgAnswer {
  const { exitCode, text, remedy, isCurrent, note } = siteState(diagnosis, looked);
  const channels: readonly PrtgChannel[] = [
    { channel: 'State', value: exitCode, unit: 'Custom', float: 0, valuelookup: 'ftm.watch.state' },
    ...ageChannels(diagnosis, looked),
    // The numbers of an old round would hide that the current ones are unknown.
    ...(isCurrent ? [...causeChannels(diagnosis), ...quantityChannels(diagnosis)] : []),
  ];
  const unique = new Map(channels.toReversed().map((one) => [one.channel, one]));
  const result = [...unique.values()].toReversed().slice(0, MOST_CHANNELS);
  const told = `${capital(withoutStop(text))}${note}${remedy === null ? '' : `. ${remedy}`}`;
  return { prtg: { result, text: harmless(told, MAX_TEXT) } };
}

/** Sets the sensor to the state "Down". */
export function prtgError(reason: string): PrtgAnswer {
  return { prtg: { error: 1, text: harmless(reason, MAX_TEXT) } };
}

function ageChannels(diagnosis: SeenDiagnosis, looked: Looked): readonly PrtgChannel[] {
  if (looked.by === 'itself') return [];
  const value = Math.round(ageOf(diagnosis, looked.now) / 1000);
  const limits = { limitmode: 1, limitmaxwarning: Math.round(looked.longest / 1000) } as const;
  return [{ channel: 'Round age', value, unit: 'TimeSeconds', float: 0, ...limits }];
}

function causeChannels({ causes }: SeenDiagnosis): readonly PrtgChannel[] {
  const count = (wanted: Severity): number => causes.filter(({ severity }) => severity === wanted).length;
  const shape = { unit: 'Count', float: 0, limitmode: 1 } as const;
  return [
    {
      channel: 'Causes (critical)',
      value: count('critical'),
      ...shape,
      limitmaxerror: 0,
      limiterrormsg: 'Not ready',
    },
    { channel: 'Causes (warning)', value: count('warning'), ...shape, limitmaxwarning: 0 },
  ];
}

/** The first ones are shown if there are too many. */
const CHANNELS: Readonly<Record<QuantityId, string>> = {
  'tokens-free': 'Tokens free',
  'sms-left': 'SMS left',
  'polling-errors': 'Errors in the last hour',
  'license-days': 'Licence',
  'certificate-days': 'Certificate',
};

function quantityChannels({ quantities }: SeenDiagnosis): readonly PrtgChannel[] {
  const byId = Map.groupBy(quantities, ({ id }) => id);
  return Object.entries(CHANNELS).flatMap(([id, name]) =>
    (byId.get(id) ?? []).map(
      ({ subject, value, unit }): PrtgChannel => ({
        channel: harmless(`${name} (${subject})`, MAX_CHANNEL),
        value,
        unit: 'Custom',
        customunit: unit,
        float: 0,
      }),
    ),
  );
}

const HARMLESS: Readonly<Record<string, string>> = { '#': '＃', '<': '‹', '>': '›' };

/** PRTG cuts messages at a number sign, and shows them in pages. */
function harmless(text: string, limit: number): string {
  return visibleText(text, limit).replaceAll(/[#<>]/gu, (character) => HARMLESS[character] ?? '');
}
