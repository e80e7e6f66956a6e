import { createIdentity } from '../../../../src/demo/lab/identity.ts';
import { anchorOf, chainOf, failed, handshake, pinOf } from '../../../support/certificates/chains.ts';
import { createCast } from '../../../support/certificates/verdict-cast.ts';
import {
  describeVerdicts,
  PINNED,
  PUBLIC,
  reference,
  sees,
  type VerdictRow,
} from '../../../support/certificates/verdict-rows.ts';

const w = await createCast();
const {
  genuine,
  corporate,
  server,
  now,
  leaf,
  leafFor,
  baseline,
  control,
  cleanControl,
  otherNode,
  renewed,
  device,
  misnamed,
  ownRoot,
  ownLeaf,
  newRoot,
  newSub,
  byNewSub,
  publicServer,
  otherPublicServer,
  configured,
  evidence,
  trust,
} = w;

const twin = await createIdentity({ name: 'CN=Twin', authority: true, issuer: genuine.root });
const expiredTwin = await createIdentity({
  name: 'CN=Twin',
  authority: true,
  issuer: genuine.root,
  keys: twin.keys,
  notAfter: new Date(now - 1000),
});
const byTwin = await leaf(twin);
const aged = await createIdentity({ name: 'CN=Aged', authority: true, notAfter: new Date(now - 1000) });
const byAged = await leaf(aged);

const GENUINE: readonly VerdictRow[] = [
  { name: 'whole chain under the pinned root', seen: {}, verdict: 'genuine' },
  { name: 'root not sent, sub-authority pinned', seen: sees(server, genuine.sub), verdict: 'genuine' },
  {
    name: 'unknown sub-authority under the pinned root that is sent',
    seen: sees(await leaf(genuine.otherSub), genuine.otherSub, genuine.root),
    verdict: 'genuine',
  },
  { name: 'the older root', seen: sees(await leaf(genuine.older), genuine.older), verdict: 'genuine' },
  { name: 'certificates out of order', seen: sees(server, genuine.root, genuine.sub), verdict: 'genuine' },
  {
    name: 'certificates twice, and a stray one',
    seen: sees(server, corporate.root, genuine.sub, genuine.sub, genuine.root, genuine.root),
    verdict: 'genuine',
  },
  {
    name: 'name in the CN only',
    seen: sees(await leaf(genuine.sub, { dnsNames: [] }), genuine.sub),
    verdict: 'genuine',
  },
  {
    name: 'wildcard name',
    seen: sees(await leaf(genuine.sub, { dnsNames: ['*.fortinet.com'] }), genuine.sub),
    verdict: 'genuine',
  },
  {
    name: 'client certificate demanded',
    seen: { outcome: handshake({ kind: 'client-certificate-demanded' }, server, genuine.sub) },
    verdict: 'genuine',
  },
  {
    name: 'alert after the certificate',
    seen: { outcome: failed({ reason: 'tls', alert: 'handshake_failure', chain: chainOf(server, genuine.sub) }) },
    verdict: 'genuine',
  },
  {
    name: 'control hosts inspected, the licence server exempt',
    seen: { controls: [await control('www.iana.org', corporate.root)] },
    verdict: 'genuine',
  },
  { name: 'made an hour ago', seen: sees(renewed, genuine.sub), verdict: 'genuine' },
  {
    name: 'another node than a reference shows',
    seen: { references: reference('resolver', otherNode, genuine.sub) },
    verdict: 'genuine',
  },
  {
    name: 'root not sent but in a CA file',
    seen: { ...sees(byNewSub, newSub), trust: { ...trust, anchors: [anchorOf(newRoot, 'configured')] } },
    verdict: 'genuine',
  },
  {
    name: 'nothing sent but the leaf, its authority in a CA file',
    seen: { ...sees(byNewSub), trust: { ...trust, anchors: [anchorOf(newSub, 'configured')] } },
    verdict: 'genuine',
  },
  {
    name: 'leaf key pinned, unknown authority',
    seen: { ...PINNED, ...sees(ownLeaf, ownRoot), trust: configured },
    verdict: 'genuine',
  },
  {
    name: 'profile pinned, under the CA file',
    seen: { ...PINNED, ...sees(ownLeaf), trust: { ...trust, anchors: [anchorOf(ownRoot, 'configured')] } },
    verdict: 'genuine',
  },
  {
    name: 'device certificate whose key is pinned',
    seen: { ...sees(device, genuine.sub), trust: { ...trust, pins: [...trust.pins, pinOf(device, 'configured')] } },
    verdict: 'genuine',
  },
  { name: 'learned leaf', seen: { baseline: baseline(server, genuine.sub) }, verdict: 'genuine' },
  {
    name: 'learned leaf with another name',
    seen: { ...sees(misnamed, genuine.sub), baseline: baseline(misnamed, genuine.sub) },
    verdict: 'genuine',
  },
  {
    name: 'profile public, under a public root',
    seen: { ...PUBLIC, ...sees(publicServer, w.public.sub) },
    verdict: 'genuine',
  },
  {
    name: 'profile public, root sent along',
    seen: { ...PUBLIC, ...sees(publicServer, w.public.sub, w.public.root) },
    verdict: 'genuine',
  },
  {
    name: 'profile public, control host behind the same authority',
    seen: { ...PUBLIC, ...sees(publicServer, w.public.sub), controls: [cleanControl] },
    verdict: 'genuine',
  },
  {
    name: 'weaker than learned, under the genuine authority',
    seen: {
      outcome: handshake({ protocol: 'TLSv1.2' }, server, genuine.sub),
      baseline: baseline(server, genuine.sub),
    },
    verdict: 'genuine',
    rule: 'as-strong-as-learned',
  },
];

const GENUINE_BY_PATH: readonly VerdictRow[] = [
  {
    name: 'two certificates of one sub-authority, the first of them expired',
    seen: sees(byTwin, expiredTwin, twin, genuine.root),
    verdict: 'genuine',
  },
  {
    name: 'a pinned key in a certificate that has expired',
    seen: { ...sees(byAged, aged), trust: { ...trust, pins: [pinOf(aged)] } },
    verdict: 'genuine',
  },
];

const ROTATED: readonly VerdictRow[] = [
  {
    name: 'new leaf under the learned authority',
    seen: { ...sees(renewed, genuine.sub), baseline: baseline(server, genuine.sub) },
    verdict: 'rotated',
    rule: 'leaf-as-learned',
  },
  {
    name: 'new sub-authority under the learned root',
    seen: {
      ...sees(await leaf(genuine.otherSub), genuine.otherSub, genuine.root),
      baseline: baseline(server, genuine.sub, genuine.root),
    },
    verdict: 'rotated',
  },
  {
    name: 'learned authority that no pin confirms',
    seen: { ...sees(await leaf(newSub), newSub), baseline: baseline(byNewSub, newSub) },
    verdict: 'rotated',
  },
  {
    name: 'learned authority that is not sent',
    seen: { ...sees(await leaf(newSub)), baseline: baseline(byNewSub, newSub) },
    verdict: 'rotated',
  },
  {
    name: 'learned subject that does not name the host',
    seen: {
      ...sees(await leafFor('globalftm.example.net', genuine.sub), genuine.sub),
      baseline: baseline(misnamed, genuine.sub),
    },
    verdict: 'rotated',
  },
  {
    name: 'public: another intermediate of the same company',
    seen: { ...PUBLIC, ...sees(otherPublicServer, w.public.otherSub), baseline: baseline(publicServer, w.public.sub) },
    verdict: 'rotated',
  },
];

describeVerdicts('the genuine certificate', GENUINE, evidence);
describeVerdicts('the genuine certificate, by one path of several', GENUINE_BY_PATH, evidence);
describeVerdicts('a renewal', ROTATED, evidence);
