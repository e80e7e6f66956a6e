import { describe, expect, test } from 'vitest';
import { judgeTls } from '../../../../src/checks/tls-genuine/verdict.ts';
import { createIdentity } from '../../../../src/demo/lab/identity.ts';
import { anchorOf, chainOf, failed } from '../../../support/certificates/chains.ts';
import { TARGET } from '../../../support/certificates/interception-world.ts';
import { createCast } from '../../../support/certificates/verdict-cast.ts';
import {
  describeVerdicts,
  PUBLIC,
  reference,
  sees,
  type VerdictRow,
} from '../../../support/certificates/verdict-rows.ts';

const w = await createCast();
const {
  genuine,
  copied,
  corporate,
  fortigate,
  server,
  now,
  leaf,
  leafFor,
  evidence,
  control,
  cleanControl,
  device,
  byCorporate,
  byCorporateSub,
  byFortigate,
  selfSigned,
  trust,
} = w;

/** Signed by an unknown authority that is never sent. */
const namesake = await createIdentity({ name: genuine.sub.name, issuer: corporate.root, authority: true });

const INTERCEPTED: readonly VerdictRow[] = [
  {
    name: 'FortiGate on every host',
    seen: { ...sees(byFortigate, fortigate), controls: [await control('www.iana.org', fortigate)] },
    verdict: 'intercepted',
    product: 'Fortinet FortiGate',
    rule: 'control-host-has-another-issuer',
  },
  {
    name: 'FortiGate, control hosts out of reach',
    seen: sees(byFortigate, fortigate),
    verdict: 'intercepted',
    product: 'Fortinet FortiGate',
    rule: 'issuer-is-no-inspection-product',
  },
  {
    name: 'FortiGate, authority not sent',
    seen: sees(byFortigate),
    verdict: 'intercepted',
    product: 'Fortinet FortiGate',
  },
  {
    name: "FortiGate on a host of the vendor's own as control",
    seen: { ...sees(byFortigate), controls: [await control('www.fortinet.com', fortigate)] },
    verdict: 'intercepted',
    product: 'Fortinet FortiGate',
  },
  {
    name: 'corporate authority on every host',
    seen: { ...sees(byCorporate, corporate.root), controls: [await control('www.iana.org', corporate.root)] },
    verdict: 'intercepted',
    rule: 'control-host-has-another-issuer',
  },
  {
    name: 'corporate authority on every host, not sent',
    seen: {
      ...sees(byCorporate),
      controls: [{ target: 'www.iana.org:443', chain: chainOf(await leafFor('www.iana.org', corporate.root)) }],
    },
    verdict: 'intercepted',
  },
  {
    name: 'corporate authority on every host, sent by one of them',
    seen: {
      ...sees(byCorporateSub, corporate.sub),
      controls: [{ target: 'www.iana.org:443', chain: chainOf(await leafFor('www.iana.org', corporate.sub)) }],
    },
    verdict: 'intercepted',
  },
  {
    name: 'corporate root on every host under different sub-authorities',
    seen: {
      ...sees(byCorporateSub, corporate.sub, corporate.root),
      controls: [await control('www.iana.org', corporate.root)],
    },
    verdict: 'intercepted',
  },
  {
    name: 'corporate authority, one control host clean and one not',
    seen: {
      ...sees(byCorporate, corporate.root),
      controls: [cleanControl, await control('example.org', corporate.root)],
    },
    verdict: 'intercepted',
  },
  {
    name: 'every genuine name with other keys',
    seen: sees(await leaf(copied.sub), copied.sub, copied.root),
    verdict: 'intercepted',
    rule: 'names-belong-to-their-keys',
  },
  {
    name: 'the name of the genuine sub-authority under another key, below an authority that is not sent',
    seen: sees(await leaf(namesake), namesake),
    verdict: 'intercepted',
    rule: 'names-belong-to-their-keys',
  },
  { name: 'copied root alone', seen: sees(await leaf(copied.root), copied.root), verdict: 'intercepted' },
  {
    name: 'forged leaf with the genuine authorities beside it',
    seen: sees(await leaf({ ...genuine.sub, keys: copied.sub.keys }), genuine.sub, genuine.root),
    verdict: 'intercepted',
  },
  {
    name: 'forged leaf of a sub-authority that is not pinned, sent along with the genuine root',
    seen: sees(await leaf({ ...genuine.otherSub, keys: copied.sub.keys }), genuine.otherSub, genuine.root),
    verdict: 'intercepted',
    rule: 'names-belong-to-their-keys',
  },
  {
    name: 'forged leaf of a public intermediate that is sent along',
    seen: sees(await leaf({ ...w.public.sub, keys: copied.sub.keys }), w.public.sub, w.public.root),
    verdict: 'intercepted',
    rule: 'names-belong-to-their-keys',
  },
  {
    name: 'forged leaf, genuine authority at hand',
    seen: {
      ...sees(await leaf({ ...genuine.sub, keys: copied.sub.keys })),
      trust: { ...trust, anchors: [anchorOf(genuine.sub)] },
    },
    verdict: 'intercepted',
  },
  {
    name: 'factory certificate on the control host too',
    seen: {
      ...sees(device, genuine.sub),
      controls: [{ target: 'www.iana.org:443', chain: chainOf(device, genuine.sub) }],
    },
    verdict: 'intercepted',
    product: 'Fortinet FortiGate',
  },
  {
    name: 'another resolver shows the genuine key',
    seen: { ...sees(byCorporate, corporate.root), references: reference('resolver', server, genuine.sub) },
    verdict: 'intercepted',
    rule: 'reference-path-agrees',
  },
  {
    name: 'a proxy shows the genuine key',
    seen: { ...sees(byCorporate), references: reference('proxy', server, genuine.sub) },
    verdict: 'intercepted',
  },
  {
    name: "a certificate for a control host's name at the same address",
    seen: {
      ...sees(byCorporate),
      references: [
        { kind: 'server-name', label: 'www.iana.org', chain: chainOf(await leafFor('www.iana.org', corporate.root)) },
      ],
    },
    verdict: 'intercepted',
  },
  {
    name: 'the same self-signed key on every host',
    seen: { ...sees(selfSigned), controls: [{ target: 'www.iana.org:443', chain: chainOf(selfSigned) }] },
    verdict: 'intercepted',
  },
  {
    name: 'profile public, corporate authority on every host',
    seen: {
      ...PUBLIC,
      ...sees(await leafFor('push.fortinet.com', corporate.root), corporate.root),
      controls: [await control('www.iana.org', corporate.root)],
    },
    verdict: 'intercepted',
  },
  {
    name: 'expired on top of it',
    seen: { ...sees(await leaf(fortigate, { notAfter: new Date(now - 1) }), fortigate) },
    verdict: 'intercepted',
    product: 'Fortinet FortiGate',
  },
  {
    name: 'chain seen before the handshake failed',
    seen: { outcome: failed({ chain: chainOf(byFortigate, fortigate) }) },
    verdict: 'intercepted',
    product: 'Fortinet FortiGate',
  },
];

describeVerdicts('a witness of interception', INTERCEPTED, evidence);

describe('judgeTls() on a witness of interception', () => {
  test.each(INTERCEPTED)('is confirmed: $name', ({ seen }) => {
    expect(judgeTls(evidence(seen)).confidence).toBe('confirmed');
  });

  test('tells the product to the remedy', () => {
    const { findings } = judgeTls(evidence(sees(byFortigate, fortigate)));
    expect(findings.map(({ facts }) => facts?.product)).toContain('Fortinet FortiGate');
    expect(findings.every(({ level, subject }) => level === 'broken' && subject === TARGET)).toBe(true);
  });
});
