import { createHash } from 'node:crypto';
import type { Zone } from '../../core/time-text.ts';
import type { Certificate } from '../../core/certificate.ts';
import { formatDistinguishedName } from '../../tls/names.ts';
import { certificatePem } from '../../tls/pem.ts';
import { type Verdict, VERDICTS as TLS_VERDICTS } from '../../checks/tls-genuine/chain-case.ts';
import { counted } from '../../core/visible-text.ts';
import type { SeenCertificate } from '../sources.ts';
import { badge, moment, type Reader } from './page-document.ts';
import type { Tone } from '../../document/document.ts';
import { type Markup, markup, preformatted, subjectView } from '../../document/html.ts';

const VERDICTS: Readonly<Record<Verdict, { readonly tone: Tone; readonly word: string }>> = {
  genuine: { tone: 'good', word: 'Genuine' },
  rotated: { tone: 'info', word: 'Renewed' },
  'vendor-ca-changed': { tone: 'warn', word: 'Different authority' },
  intercepted: { tone: 'bad', word: 'Intercepted' },
  'interception-suspected': { tone: 'bad', word: 'Interception suspected' },
  'certificate-broken': { tone: 'bad', word: 'Not valid' },
  blocked: { tone: 'bad', word: 'Blocked' },
  unknown: { tone: 'unsure', word: 'Unknown' },
};

const MAX_CHAINS = 6;

export function certificatesView(seen: readonly SeenCertificate[], reader: Reader): Markup | null {
  if (seen.length === 0) return null;
  return markup`<section id="certificates" class="card" aria-labelledby="certificates-title">
<h2 id="certificates-title">Received certificates</h2>${groupByChain(seen)
    .slice(0, MAX_CHAINS)
    .map((chain) => chainView(chain, reader))}
</section>`;
}

function chainView({ id, target, addresses, verdict, chain, trusted }: ChainOfAddresses, reader: Reader): Markup {
  const { tone, word } = VERDICTS[verdict];
  const [leaf] = chain;
  const validity =
    leaf === undefined ? ': no certificate was sent' : markup`, valid until ${moment(leaf.notAfter, reader)}`;
  return markup`<div id="chain-${id}" class="chain ${tone}"><p>${badge(tone, word)} ${subjectView(target)}</p>
<p class="quiet">at ${addresses.join(', ')}${validity}</p>
${
  leaf === undefined
    ? null
    : markup`<details id="chain-${id}-all"><summary>${counted(chain.length, 'certificate')}</summary>
${chain.map((seen, depth) => certificateView({ seen, trusted: trusted[depth] }, depth, reader.zone))}
${
  trusted.length === 0
    ? markup`<p class="quiet">There is no learned chain for comparison. To learn it, run
<code class="command" data-copy>ftm-watch trust learn</code> on a path that is known to be clean.</p>`
    : null
}
${pemView(chain, id)}</details>`
}</div>`;
}

interface Field {
  readonly name: string;
  readonly text: (certificate: Certificate, zone: Zone) => string;
}

const FIELDS: readonly Field[] = [
  { name: 'Subject', text: ({ subject }) => formatDistinguishedName(subject) },
  { name: 'Issuer', text: ({ issuer }) => formatDistinguishedName(issuer) },
  { name: 'Key', text: ({ key, pin }) => `${key} ${pin}` },
  { name: 'Valid from', text: ({ notBefore }, zone) => zone.text(notBefore) },
  { name: 'Valid until', text: ({ notAfter }, zone) => zone.text(notAfter) },
  { name: 'Serial', text: ({ serial }) => serial },
];

interface Compared {
  readonly seen: Certificate;
  readonly trusted: Certificate | undefined;
}

function certificateView(compared: Compared, depth: number, zone: Zone): Markup {
  return markup`<table><caption>${depth === 0 ? 'Server certificate' : `Authority ${String(depth)}`}</caption>
${
  compared.trusted === undefined
    ? null
    : markup`<thead><tr><th><span class="unseen">Field</span></th><th scope="col">Received</th>
<th scope="col">Trusted</th></tr></thead>`
}
<tbody>${FIELDS.map((field) => fieldView(field, compared, zone))}</tbody></table>`;
}

function fieldView({ name, text }: Field, { seen, trusted }: Compared, zone: Zone): Markup {
  const shown = text(seen, zone);
  if (trusted === undefined) return markup`<tr><th scope="row">${name}</th><td>${shown}</td></tr>`;
  const expected = text(trusted, zone);
  if (shown === expected) return markup`<tr><th scope="row">${name}</th><td colspan="2">${shown}</td></tr>`;
  return markup`<tr class="differs"><th scope="row">${name}</th>
<td><mark>${shown}</mark><span class="unseen"> (differs)</span></td><td>${expected}</td></tr>`;
}

function pemView(chain: readonly Certificate[], id: string): Markup {
  return markup`<details id="pem-${id}"><summary>PEM</summary><pre data-copy tabindex="0">${preformatted(
    chain.map(certificatePem).join(''),
  )}</pre></details>`;
}

interface ChainOfAddresses extends Omit<SeenCertificate, 'address'> {
  /** Stays the same as long as the target sends this chain with the same verdict. */
  readonly id: string;
  readonly addresses: readonly string[];
}

/** All addresses of a server usually send the same chain. Chains with the worst verdict come first. */
function groupByChain(seen: readonly SeenCertificate[]): readonly ChainOfAddresses[] {
  const groups = new Map<string, ChainOfAddresses>();
  for (const { address, ...rest } of seen) {
    const id = identityOf([rest.target, rest.verdict, ...rest.chain.map(({ fingerprint }) => fingerprint)]);
    groups.set(id, { ...rest, id, addresses: [...(groups.get(id)?.addresses ?? []), address] });
  }
  return [...groups.values()].toSorted((a, b) => TLS_VERDICTS.indexOf(a.verdict) - TLS_VERDICTS.indexOf(b.verdict));
}

/**
 * An ID that is derived from an element's content instead of its position. After each round, static/live.js finds the
 * element by this ID, so that expanded details and the keyboard focus stay with the right element.
 */
export function identityOf(parts: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 16);
}
