import { describe, expect, test } from 'vitest';
import { judgeTls } from '../../../../src/checks/tls-genuine/verdict.ts';
import { createIdentity } from '../../../../src/demo/lab/identity.ts';
import { createCast } from '../../../support/certificates/verdict-cast.ts';
import { sees } from '../../../support/certificates/verdict-rows.ts';

const w = await createCast();
const FORTINET = 'C=US, ST=California, L=Sunnyvale, O=Fortinet, OU=Certificate Authority';

/** An authority name for each product in the catalogue that has one. */
const AUTHORITIES: Readonly<Record<string, string>> = {
  'Fortinet FortiGate': `${FORTINET}, CN=FG100FTK20012345`,
  'Fortinet device': `${FORTINET}, CN=FSVM000000000001`,
  Zscaler: 'C=US, O=Zscaler Inc., CN=Zscaler Intermediate Root CA',
  Netskope: 'O=Acme, CN=ca.acme.goskope.com, E=certadmin@netskope.com',
  'Cisco Umbrella': 'O=Cisco, CN=Cisco Umbrella Primary SubCA',
  'Cloudflare Gateway': 'CN=Gateway CA - Cloudflare Managed G1',
  'Cato Networks': 'CN=Cato Networks Root CA',
  'Symantec Blue Coat ProxySG': 'O=Blue Coat SG Series, CN=10.0.0.1',
  Forcepoint: 'O=Forcepoint LLC, CN=Forcepoint Cloud CA',
  'Skyhigh (McAfee) Web Gateway': 'CN=McAfee Web Gateway',
  'Sophos Firewall': 'O=Sophos, CN=Sophos SSL CA_C01001ABCDE',
  Cyberoam: 'O=Cyberoam Certificate Authority, CN=Cyberoam SSL CA',
  SonicWall: 'O=SonicWALL Inc., CN=SonicWALL Firewall DPI-SSL',
  'WatchGuard Firebox': 'O=WatchGuard_Technologies, OU=Fireware, CN=Fireware HTTPS Proxy (SN 80000000) CA',
  Untangle: 'O=Untangle, CN=www.untangle.com',
  'Arista Edge Threat Management': 'O=Arista, CN=edge.arista.com',
  Smoothwall: 'CN=Smoothwall-default-root-certificate-authority',
  ContentKeeper: 'CN=ContentKeeper Appliance CA (12)',
  NetSpark: 'O=NetSpark, CN=NetSpark',
  'Trend Micro InterScan Web Security': 'CN=IWSS.TREND',
  Kaspersky: 'CN=Kaspersky Anti-Virus Personal Root Certificate',
  Avast: 'CN=Avast Web/Mail Shield Root',
  AVG: 'CN=AVG Web/Mail Shield Root',
  Norton: 'CN=Norton Web/Mail Shield Root',
  Bitdefender: 'O=Bitdefender, CN=Bitdefender Personal CA.Net-Defender',
  ESET: 'O=ESET\\, spol. s r. o., CN=ESET SSL Filter CA',
  mitmproxy: 'O=mitmproxy, CN=mitmproxy',
  'PortSwigger Burp Suite': 'O=PortSwigger, CN=PortSwigger CA',
  ZAP: 'CN=OWASP Root CA',
  'Charles Proxy': 'O=XK72 Ltd, CN=Charles Proxy CA (host)',
  Fiddler: 'CN=DO_NOT_TRUST_FiddlerRoot',
};

describe('judgeTls() on each product of the catalogue', () => {
  test('knows an authority of every product that signs', () => {
    const signing = w.evidence({}).products.filter(({ issuers }) => issuers.length > 0);
    expect(Object.keys(AUTHORITIES).toSorted()).toEqual(signing.map(({ name }) => name).toSorted());
  });

  test.each(Object.entries(AUTHORITIES))(
    '%s is intercepted and named, without any control host',
    async (product, name) => {
      const authority = await createIdentity({ name, authority: true });
      const leaf = await w.leaf(authority);
      const judgements = [sees(leaf, authority), sees(leaf)].map((seen) => judgeTls(w.evidence(seen)));
      expect(judgements.map(({ verdict }) => verdict)).toEqual(['intercepted', 'intercepted']);
      expect(judgements.map((judgement) => judgement.product)).toEqual([product, product]);
    },
  );
});
