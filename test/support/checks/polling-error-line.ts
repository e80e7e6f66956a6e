/** As sent by FortiAuthenticator (test/fixtures/logs/fac-syslog-samples.txt). */
export const POLLING_ERROR_LINE: string =
  '<12>Aug 14 22:40:02 db[16987]:  category="Event" subcategory="Admin Configuration" typeid=0 level="warning" ' +
  'user="" nas="" action="" status="" FTM polling error: connection timeout: server connection failed: SSL session ' +
  'failed';
