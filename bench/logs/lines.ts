/** The texts that all three programs search for. */
export const TEXTS: readonly string[] = [
  'FTM polling error',
  'FTM provision',
  'SSL session failed',
  'problem with SSL comm layer',
  'Failed to send notification to user due to pushd error',
  'FTM token Activation Code is invalid',
  'Failed to send activation code',
  'license expired',
];

const FAC =
  'category="Event" subcategory="Authentication" typeid=20001 level="information" user="user1" nas="10.0.8.4" ' +
  'action="Authentication"';

/** Sixteen line shapes, two of which (12.5 %) are FTM errors. */
const SHAPES: readonly string[] = [
  '<12>Aug 14 22:40:03 db[16987]:  category="Event" subcategory="Admin Configuration" level="warning" status="" ' +
    'FTM polling error: problem with SSL comm layer',
  `<14>Aug 14 22:32:52 db[16987]:  ${FAC} status="Failed" Remote RADIUS user authentication with invalid token`,
  `<14>Aug 14 22:32:52 fac01 db[16987]:  ${FAC} status="Success" Remote RADIUS user authentication with no token ` +
    'successful',
  `<30>Aug 14 22:32:53 gw01 systemd[1]: Started Session 4711 of user monitor.`,
  `<38>Aug 14 22:32:53 gw01 sshd[2212]: Failed password for invalid user admin from 10.0.0.9 port 50212 ssh2`,
  `<14>1 2026-11-24T11:01:06.123Z fac01 db 16987 - - ${FAC} status="" Administrator 'admin' logged out`,
  '<14>Aug 14 22:32:54 db[16987]:  category="Event" subcategory="System" typeid=30101 level="information" ' +
    'status="" RADIUS server running in full edition',
  `<22>Aug 14 22:32:54 mail01 postfix/smtpd[811]: connect from unknown[10.0.0.17]`,
  '<12>1 2026-11-24T11:01:07.000Z fac01 db 16987 - - category="Event" level="warning" status="" FTM polling ' +
    'error: connection timeout: server connection failed',
  `<14>Aug 14 22:32:55 db[16987]:  ${FAC} status="Pending" Remote RADIUS user authentication partially done, ` +
    'remote server expecting challenge response',
  `<78>Aug 14 22:33:01 gw01 CRON[3003]: (root) CMD (test -x /usr/sbin/anacron || run-parts /etc/cron.hourly)`,
  `<14>Aug 14 22:33:02 fac01 db[16987]:  ${FAC} status="Success" Successfully returned user info`,
  `<6>Aug 14 22:33:03 gw01 kernel: [12345.678901] eth0: link becomes ready, 1000 Mbps full duplex, flow control off`,
  '<14>Aug 14 22:33:03 db[16987]:  category="Event" subcategory="System" typeid=30303 status="" Retrieved 25 ' +
    'user(s) from the remote LDAP server "dc01"',
  `<86>Aug 14 22:33:04 gw01 sudo: pam_unix(sudo:session): session opened for user root by monitor(uid=1000)`,
  `<14>Aug 14 22:33:05 fac01 rest_api_dbg_log: 2026-10-07 15:05:14,582 debug 18260 Userinfo access valid`,
];

export const LINES_A_BLOCK: number = SHAPES.length * 64;

/** Number of lines in a block that contain one of the texts. */
export const TROUBLES_A_BLOCK: number = (LINES_A_BLOCK * 2) / SHAPES.length;

/** Returns a block of lines, each with its line break. */
export function block(): Buffer {
  return Buffer.from(`${SHAPES.join('\n')}\n`.repeat(LINES_A_BLOCK / SHAPES.length));
}

/** Returns the same lines as datagrams. */
export function datagrams(): readonly Buffer[] {
  return SHAPES.map((line) => Buffer.from(line));
}
