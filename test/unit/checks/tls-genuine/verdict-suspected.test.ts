import { describe, expect, test } from 'vitest';
import { judgeTls } from '../../../../src/checks/tls-genuine/verdict.ts';
import { createIdentity } from '../../../../src/demo/lab/identity.ts';
import { certificateOf, chainOf, handshake } from '../../../support/certificates/chains.ts';
import { DAY_MS } from '../../../support/certificates/interception-world.ts';
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
  corporate,
  server,
  now,
  leaf,
  leafFor,
  baseline,
  evidence,
  cleanControl,
  device,
  sharedDevice,
  otherDevice,
  byCorporate,
  byCorporateSub,
  publicLeaf,
  newSub,
  misnamed,
  selfSigned,
} = w;

const namesake = await createIdentity({ name: 'C=DE, O=Acme AG, CN=Acme Root CA', authority: true });

const SUSPECTED: readonly VerdictRow[] = [
  {
    name: 'corporate authority, by chance with the dates of the learned leaf',
    seen: {
      ...sees(
        await leaf(corporate.root, {
          name: 'CN=something.example',
          notBefore: new Date(certificateOf(server).notBefore),
          notAfter: new Date(certificateOf(server).notAfter),
        }),
        corporate.root,
      ),
      baseline: baseline(server, genuine.sub),
    },
    verdict: 'interception-suspected',
  },
  {
    name: 'corporate authority on the licence server alone',
    seen: { ...sees(byCorporate, corporate.root), controls: [cleanControl] },
    verdict: 'interception-suspected',
    rule: 'chain-verifies-under-pin',
  },
  {
    name: 'corporate authority, control hosts out of reach',
    seen: sees(byCorporateSub, corporate.sub, corporate.root),
    verdict: 'interception-suspected',
  },
  {
    name: 'corporate authority, made just now',
    seen: sees(await leaf(corporate.root, { notBefore: new Date(now - 1000) }), corporate.root),
    verdict: 'interception-suspected',
  },
  { name: 'signed by itself', seen: sees(selfSigned), verdict: 'interception-suspected' },
  {
    name: 'factory certificate under the genuine authority',
    seen: sees(device, genuine.sub, genuine.root),
    verdict: 'interception-suspected',
    product: 'Fortinet FortiGate',
    rule: 'leaf-is-no-device-certificate',
  },
  {
    name: 'factory certificate that all units share',
    seen: sees(sharedDevice, genuine.sub),
    verdict: 'interception-suspected',
    product: 'Fortinet FortiGate',
  },
  {
    name: 'factory certificate of another product',
    seen: sees(otherDevice, genuine.sub),
    verdict: 'interception-suspected',
    product: 'Fortinet FortiAuthenticator',
  },
  {
    name: 'factory certificate whose authority is not sent',
    seen: sees(await createIdentity({ name: device.name, issuer: newSub })),
    verdict: 'interception-suspected',
    product: 'Fortinet FortiGate',
  },
  {
    name: 'public authority, another resolver shows the genuine key',
    seen: { ...sees(publicLeaf, w.public.sub), references: reference('resolver', server, genuine.sub) },
    verdict: 'interception-suspected',
    rule: 'reference-path-agrees',
  },
  {
    name: 'public authority for another name',
    seen: sees(await leafFor('portal.hotel.example', w.public.sub), w.public.sub),
    verdict: 'interception-suspected',
  },
  {
    name: 'unknown issuer, weaker than learned',
    seen: {
      outcome: handshake({ protocol: 'TLSv1.2' }, await leaf(newSub, { notBefore: new Date(now - 5 * DAY_MS) })),
      baseline: baseline(server, genuine.sub),
    },
    verdict: 'interception-suspected',
    rule: 'as-strong-as-learned',
  },
  {
    name: 'the same certificate on every host, for another name',
    seen: {
      ...PUBLIC,
      ...sees(publicLeaf, w.public.sub),
      controls: [{ target: 'www.iana.org:443', chain: chainOf(publicLeaf, w.public.sub) }],
    },
    verdict: 'interception-suspected',
  },
  {
    name: 'subject and dates of the learned leaf under another key',
    seen: {
      ...sees(
        await leaf(corporate.root, {
          notBefore: new Date(certificateOf(server).notBefore),
          notAfter: new Date(certificateOf(server).notAfter),
        }),
        corporate.root,
      ),
      baseline: baseline(server, genuine.sub),
    },
    verdict: 'interception-suspected',
    rule: 'names-belong-to-their-keys',
  },
  {
    name: 'serial of the learned leaf under another key',
    seen: {
      ...sees(
        await leaf(corporate.root, { serial: certificateOf(server).serial, notBefore: new Date(now - 9 * DAY_MS) }),
        corporate.root,
      ),
      baseline: baseline(server, genuine.sub),
    },
    verdict: 'interception-suspected',
  },
  {
    name: 'factory certificate where a server was learned',
    seen: { ...sees(device, genuine.sub), baseline: baseline(server, genuine.sub) },
    verdict: 'interception-suspected',
    product: 'Fortinet FortiGate',
    rule: 'leaf-is-no-device-certificate',
  },
  {
    name: 'factory certificate in place of a public host',
    seen: { ...PUBLIC, ...sees(device, genuine.sub) },
    verdict: 'interception-suspected',
    product: 'Fortinet FortiGate',
  },
  {
    name: 'another server name shows the genuine key',
    seen: { ...sees(byCorporate, corporate.root), references: reference('server-name', misnamed, genuine.sub) },
    verdict: 'interception-suspected',
  },
  {
    name: 'missing intermediate, another authority of the same name on the control host',
    seen: {
      ...sees(byCorporate),
      controls: [{ target: 'www.iana.org:443', chain: chainOf(await leafFor('www.iana.org', namesake)) }],
    },
    verdict: 'interception-suspected',
  },
  {
    name: 'signed by a leaf of the genuine authority, which is no authority',
    seen: sees(await leaf(server), server, genuine.sub),
    verdict: 'interception-suspected',
  },
];

describeVerdicts('a suspicion of interception', SUSPECTED, evidence);

describe('judgeTls() on a suspicion of interception', () => {
  test.each(SUSPECTED)('is suspected only, and says what would settle it: $name', ({ seen }) => {
    const { confidence, wouldSettle } = judgeTls(evidence(seen));
    expect(confidence).toBe('suspected');
    expect(wouldSettle).toMatch(/\w{3}/u);
  });
});
