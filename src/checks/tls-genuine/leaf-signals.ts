import { formatDistinguishedName } from '../../core/distinguished-name.ts';
import type { ChainCase } from './chain-case.ts';
import { deviceOf } from './device-certificate.ts';
import { weakerFinding } from './expectations.ts';
import type { Signal } from './signal.ts';

const HOUR_MS = 60 * 60 * 1000;
const FRESH_MS = 6 * HOUR_MS;
const SERIAL_MEMORY_MS = 24 * HOUR_MS;

/**
 * Connections that each showed another serial: three may be the nodes behind a name, four in a day that never repeat
 * hardly are.
 */
const MIN_SERIALS = 4;

/**
 * A factory certificate of a Fortinet unit in the server's place: it says who answers. The verdict knows the identity
 * by itself.
 */
export function deviceSignal({ identity, leaf }: ChainCase): readonly Signal[] {
  const device = identity === 'device' ? deviceOf(leaf) : null;
  if (device === null) return [];
  return [
    {
      rule: 'leaf-is-no-device-certificate',
      weight: 'weak',
      expected: "The licence server's own certificate",
      actual: `The factory certificate of a device: ${formatDistinguishedName(leaf.subject)}`,
      product: device,
    },
  ];
}

/** A device where the baseline has a server. */
export function identitySignal({ identity, evidence, leaf }: ChainCase): readonly Signal[] {
  const known = evidence.baseline?.leaves[0];
  if (known === undefined || identity !== 'device') return [];
  return [
    {
      rule: 'identity-as-learned',
      weight: 'weak',
      expected: `The learned identity: ${formatDistinguishedName(known.subject)}`,
      actual: formatDistinguishedName(leaf.subject),
      product: null,
    },
  ];
}

/** Made on the fly: valid only since a few hours, or another serial on each connection. */
export function mintedSignals({ leaf, evidence }: ChainCase): readonly Signal[] {
  const base = { weight: 'weak', product: null } as const;
  const age = evidence.now - leaf.notBefore;
  const recent = evidence.previous
    .filter(({ at }) => evidence.now - at <= SERIAL_MEMORY_MS)
    .map(({ serial }) => serial);
  const serials = [...recent, leaf.serial];
  const signals: Signal[] = [];
  if (age >= 0 && age < FRESH_MS) {
    const minutes = Math.round(age / 60_000);
    signals.push({
      ...base,
      rule: 'certificate-is-not-brand-new',
      expected: 'A certificate that was made before it was asked for',
      actual: `Valid only since ${String(minutes)} minutes`,
    });
  }
  if (serials.length >= MIN_SERIALS && new Set(serials).size === serials.length) {
    signals.push({
      ...base,
      rule: 'serial-stays',
      expected: 'The same certificate on the next connection',
      actual: `${String(serials.length)} connections in a day, each with another serial`,
    });
  }
  return signals;
}

/** Weaker than what was learned: inspection often lowers what the server itself offers. */
export function strengthSignal(chain: ChainCase): readonly Signal[] {
  return weakerFinding(chain).map((found) => ({ ...found, weight: 'hint', product: null }));
}
