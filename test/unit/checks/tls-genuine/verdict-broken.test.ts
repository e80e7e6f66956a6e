import { createIdentity } from '../../../../src/demo/lab/identity.ts';
import { chainOf, pinOf, smallRsaKeys, withWeakSignature } from '../../../support/certificates/chains.ts';
import { DAY_MS } from '../../../support/certificates/interception-world.ts';
import { createCast } from '../../../support/certificates/verdict-cast.ts';
import { describeVerdicts, PUBLIC, sees, type VerdictRow } from '../../../support/certificates/verdict-rows.ts';

const w = await createCast();
const { genuine, now, leaf, leafFor, cleanControl, publicLeaf, misnamed, publicServer, evidence, trust } = w;
const rsaSub = await createIdentity({ name: 'O=Fortinet, CN=fortinet-subca2001', authority: true, key: 'RSA-2048' });
const rsaTrust = { ...trust, pins: [pinOf(rsaSub)] };
const rsaLeaf = await leaf(rsaSub, { key: 'RSA-2048' });
const rsa512 = await leaf(genuine.sub, { keys: await smallRsaKeys(1024) });
const expired = await leaf(genuine.sub, { notAfter: new Date(now - DAY_MS) });
const early = await leaf(genuine.sub, { notBefore: new Date(now + DAY_MS) });
const expiredSub = await createIdentity({
  name: 'CN=Old Sub',
  authority: true,
  issuer: genuine.root,
  notAfter: new Date(now - DAY_MS),
});

const BROKEN: readonly VerdictRow[] = [
  { name: 'expired', seen: sees(expired, genuine.sub), verdict: 'certificate-broken', rule: 'certificate-is-in-date' },
  {
    name: 'not yet valid',
    seen: sees(early, genuine.sub),
    verdict: 'certificate-broken',
    rule: 'certificate-is-in-date',
  },
  {
    name: 'expired intermediate',
    seen: sees(await leaf(expiredSub), expiredSub, genuine.root),
    verdict: 'certificate-broken',
  },
  {
    name: 'expired, control host clean',
    seen: { ...sees(expired, genuine.sub), controls: [cleanControl] },
    verdict: 'certificate-broken',
  },
  {
    name: 'for another name',
    seen: sees(misnamed, genuine.sub),
    verdict: 'certificate-broken',
    rule: 'certificate-names-the-server',
  },
  {
    name: 'for a name two labels below a wildcard',
    seen: sees(await leaf(genuine.sub, { dnsNames: ['*.com'] }), genuine.sub),
    verdict: 'certificate-broken',
  },
  {
    name: 'profile public, for another name',
    seen: { ...PUBLIC, ...sees(publicLeaf, w.public.sub) },
    verdict: 'certificate-broken',
  },
  {
    name: 'profile public, name in the CN only',
    seen: { ...PUBLIC, ...sees(await leafFor('push.fortinet.com', w.public.sub, { dnsNames: [] }), w.public.sub) },
    verdict: 'certificate-broken',
  },
  {
    name: 'profile public, expired',
    seen: {
      ...PUBLIC,
      ...sees(await leafFor('push.fortinet.com', w.public.sub, { notAfter: new Date(now - 1) }), w.public.sub),
    },
    verdict: 'certificate-broken',
  },
  {
    name: 'profile public, intermediate known but not sent',
    seen: {
      ...PUBLIC,
      ...sees(await leafFor('push.fortinet.com', w.public.sub)),
      references: [{ kind: 'resolver', label: 'system', chain: chainOf(publicServer, w.public.sub) }],
    },
    verdict: 'certificate-broken',
    rule: 'chain-is-complete',
  },
  {
    name: 'public authority under the profile fortinet, expired',
    seen: sees(await leaf(w.public.sub, { notAfter: new Date(now - 1) }), w.public.sub),
    verdict: 'certificate-broken',
  },
  {
    name: 'signed with SHA-1',
    seen: { ...sees(withWeakSignature(rsaLeaf, rsaSub.keyPem, 'sha1'), rsaSub), trust: rsaTrust },
    verdict: 'certificate-broken',
    rule: 'keys-and-signatures-are-strong',
  },
  {
    name: 'signed with MD5',
    seen: { ...sees(withWeakSignature(rsaLeaf, rsaSub.keyPem, 'md5'), rsaSub), trust: rsaTrust },
    verdict: 'certificate-broken',
  },
  { name: 'RSA key of 1024 bits', seen: sees(rsa512, genuine.sub), verdict: 'certificate-broken' },
  {
    name: 'missing intermediate of a public authority',
    seen: { ...PUBLIC, ...sees(publicServer) },
    verdict: 'certificate-broken',
  },
  {
    name: 'missing intermediate, expired as well',
    seen: sees(await leaf(genuine.otherSub, { notAfter: new Date(now - 1) })),
    verdict: 'certificate-broken',
  },
];

describeVerdicts('a broken certificate', BROKEN, evidence);
