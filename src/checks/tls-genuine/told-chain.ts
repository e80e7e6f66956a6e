import { called } from './called.ts';
import type { ChainCase } from './chain-case.ts';
import { deviceOf } from './device-certificate.ts';
import { LEARN } from './hypothesis.ts';
import { trustUnder } from './trust.ts';

/** Fills the words of a row. @param by who intercepts, as far as it is known */
export function toldChain(text: string, chain: ChainCase, by: string): string {
  return text.replaceAll(/\{([a-z]+)\}/gu, (whole, name: string) => WORDS.get(name)?.(chain, by) ?? whole);
}

type Word = (chain: ChainCase, by: string) => string;

/** What the summaries of the table name, and what would settle them. @internal */
export const WORDS: ReadonlyMap<string, Word> = new Map<string, Word>([
  ['by', (_, by) => by],
  ['target', ({ evidence }) => evidence.target],
  ['issuer', ({ leaf }) => called(leaf.issuer)],
  ['end', missingName],
  ['label', ({ chainTrust }) => chainTrust.label ?? 'a trusted key'],
  ['flaw', ({ accepted }) => accepted?.flaws[0]?.claim.replace(/\.$/u, '') ?? 'of an unknown flaw'],
  ['device', ({ leaf }) => deviceOf(leaf) ?? 'A device'],
  ['dates', ({ dates }) => (dates === 'expired' ? 'has expired' : 'is not yet valid')],
  [
    'kind',
    ({ chainTrust }) => (chainTrust.kind === 'vendor' ? 'the private Fortinet authority' : 'a public authority'),
  ],
  ['view', otherView],
  ['authority', knownAuthority],
]);

/** The name that the chain ends at, for a person. */
function missingName({ chainTrust, leaf }: ChainCase): string {
  return called((chainTrust.path.at(-1) ?? leaf).issuer);
}

function otherView({ evidence }: ChainCase): string {
  return evidence.controls.length === 0
    ? 'A control host that can be reached: the same issuer there proves inspection'
    : `The firewall policy that matches this traffic, or ${LEARN}`;
}

function knownAuthority(chain: ChainCase): string {
  const { pins, anchors } = trustUnder(chain.evidence.profile, chain.evidence.trust);
  if (pins.length + anchors.length === 0) return `Something to trust: trust.pins or trust.caFiles, or ${LEARN}`;
  return (
    `The certificate of ${missingName(chain)} as a FortiGate with current firmware has it, then in ` +
    `trust.caFiles; or ${LEARN}`
  );
}
