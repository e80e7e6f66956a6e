export interface IssuingOrganization {
  /** As it stands in its certificates. */
  readonly name: string;
  readonly source: string;
}

/**
 * Organizations of public intermediate authorities that no root of Mozilla's has: a server that forgets to send such an
 * intermediate shows nothing else. The whole list is CCADB's report of all intermediates
 * (https://www.ccadb.org/resources); here are those that sign certificates of many servers.
 */
export const ISSUING_ORGANIZATIONS: readonly IssuingOrganization[] = [
  { name: "Let's Encrypt", source: 'https://letsencrypt.org/certificates/' },
  { name: 'Google Trust Services', source: 'https://pki.goog/repository/' },
  { name: 'ZeroSSL', source: 'https://help.zerossl.com, intermediates below USERTrust' },
  { name: 'Entrust, Inc.', source: 'https://www.entrust.com/resources/tools/root-ca, no longer among the roots' },
  { name: 'Entrust Limited', source: 'https://www.entrust.com, intermediates below Sectigo and SSL.com' },
  { name: 'SSL Corp', source: 'https://www.ssl.com/repository/' },
  { name: 'GEANT Vereniging', source: 'https://wiki.geant.org/display/TCSNT, below USERTrust' },
  { name: 'Internet2', source: 'https://www.incommon.org/certificates/repository/, below USERTrust' },
  { name: 'Gandi', source: 'https://docs.gandi.net, Gandi RSA Domain Validation, below USERTrust' },
  { name: 'Gandi SAS', source: 'https://docs.gandi.net' },
  { name: 'cPanel, LLC', source: 'https://docs.cpanel.net, AutoSSL, below Sectigo' },
  { name: 'cPanel, Inc.', source: 'https://docs.cpanel.net, AutoSSL, below COMODO' },
  { name: 'Corporation Service Company', source: 'https://www.cscdbs.com, below USERTrust' },
  { name: 'Network Solutions L.L.C.', source: 'https://www.networksolutions.com, below USERTrust' },
  { name: 'Apple Inc.', source: 'https://www.apple.com/certificateauthority/public/' },
  { name: 'Cloudflare, Inc.', source: 'https://developers.cloudflare.com/ssl/reference/certificate-authorities/' },
  { name: 'Thawte, Inc.', source: 'https://www.digicert.com/kb/digicert-root-certificates.htm' },
  { name: 'GeoTrust Inc.', source: 'https://www.digicert.com/kb/digicert-root-certificates.htm' },
  { name: 'Cybertrust, Inc', source: 'https://www.digicert.com/kb/digicert-root-certificates.htm' },
  { name: 'Actalis S.p.A.', source: 'https://www.actalis.com/area-download; the root has its register number there' },
  { name: 'Buypass AS', source: 'https://www.buypass.com/security/buypass-root-certificates' },
  { name: 'Firmaprofesional SA', source: 'https://www.firmaprofesional.com/cps; the root has no organization' },
  { name: 'Viking Cloud, Inc.', source: 'https://certs.securetrust.com, Trustwave before' },
  { name: 'Trustwave Holdings, Inc.', source: 'https://certs.securetrust.com' },
  { name: 'WoTrus CA Limited', source: 'https://www.wotrus.com, below USERTrust and DigiCert' },
  { name: 'Trust Provider B.V.', source: 'https://www.networking4all.com, below DigiCert' },
];
